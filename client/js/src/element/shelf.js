// Keeps texts in this browser, and says whether it does: what was written
// counts once it was read again. Short ones lie in the local storage, which is
// written at once, even by a page that is closing; long ones in IndexedDB.

import { local } from '../tab.js';

/** @typedef {{at: string, fields: Record<string, string>}} Text */

const long = 100_000; // characters

/** @type {Set<string>} names under which there is something in the database, as far as this page knows */
const there = new Set();

/** @type {Promise<IDBDatabase> | undefined} */
let opened;
const database = () => opened ??= new Promise((done, fail) => {
  const request = indexedDB.open('editlock', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('texts');
  request.onsuccess = () => {
    request.result.onversionchange = request.result.onclose = () => {
      request.result.close();
      opened = undefined;
    };
    done(request.result);
  };
  request.onerror = request.onblocked = () => {
    opened = undefined;
    fail(request.error);
  };
});

/**
 * @param {IDBTransactionMode} mode
 * @param {(texts: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<any>}
 */
async function inDatabase(mode, act) {
  const all = (await database()).transaction('texts', mode), request = act(all.objectStore('texts'));
  return new Promise((done, fail) => {
    all.oncomplete = () => done(request.result);
    all.onerror = all.onabort = () => fail(all.error);
  });
}

/**
 * @param {string | null | undefined} text
 * @returns {Text | null}
 */
function parsed(text) {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

/**
 * The text of a name, if it is a short one.
 * @param {string} name
 */
export const short = (name) => parsed(local.get(name));

/**
 * The text of a name, of whatever length.
 * @param {string} name
 */
export async function stored(name) {
  const other = parsed(await inDatabase('readonly', (texts) => texts.get(name)).catch(() => null)), own = short(name);
  if (other) there.add(name);
  return !own || other && other.at > own.at ? other : own;
}

/**
 * keep puts a text in the place of the last one of its name, and tells whether
 * it is there now. A text that is not leaves the last one where it is.
 * @param {string} name
 * @param {Text | null} text null: none
 */
export async function keep(name, text) {
  const json = text && JSON.stringify(text);
  if (json === null || json.length < long) {
    if (local.set(name, json) && local.get(name) === json) {
      if (there.delete(name)) inDatabase('readwrite', (texts) => texts.delete(name)).catch(() => there.add(name));
      return true;
    }
    if (json === null) return false;
  }
  try {
    there.add(name);
    await inDatabase('readwrite', (texts) => texts.put(json, name));
    if (await inDatabase('readonly', (texts) => texts.get(name)) !== json) return false;
    local.set(name, null);
    return true;
  } catch {
    return false;
  }
}
