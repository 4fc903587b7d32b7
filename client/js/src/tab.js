// Which tab this is. The ID survives a reload, and is new in a duplicated tab,
// whose session storage begins as a copy of the first one's.

/** @import { Owner } from './types.js' */

// Frames share the storage of their tab. A server that renders pages has neither.
const part = globalThis.window === globalThis.top ? '' : `-${location.pathname}`;
const key = `editlock-tab${part}`;
// Set only while this tab is between two pages.
const leftKey = `editlock-left${part}`;

/** An ID that nobody can guess; in an insecure context too, unlike crypto.randomUUID. */
export const newID = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(9)), (b) => b.toString(36).padStart(2, '0')).join('');

// Where site data are blocked, every call of a storage throws, and the name of
// the window is all that a tab keeps over a reload. A name that the page gave
// is left alone; then each page is a tab of its own.
const mark = 'editlock ';
const name = {
  /** @returns {Record<string, string>} */
  all() {
    try {
      return window.name.startsWith(mark) ? JSON.parse(window.name.slice(mark.length)) : {};
    } catch {
      return {};
    }
  },
  /**
   * @param {string} key
   * @param {string | null} value
   */
  set(key, value) {
    const { [key]: last, ...all } = this.all();
    if (value !== null) all[key] = value;
    else if (last === undefined) return true;
    if (window.name && !window.name.startsWith(mark)) return false;
    window.name = Object.keys(all).length ? mark + JSON.stringify(all) : '';
    return true;
  },
};

/**
 * @param {() => Storage} storage
 * @param {typeof name} [other] where to keep what it does not take
 */
const memory = (storage, other) => ({
  /** @param {string} key */
  get(key) {
    try {
      const value = storage().getItem(key);
      if (value !== null) return value;
    } catch { /* forbidden */ }
    return other?.all()[key] ?? null;
  },
  /**
   * @param {string} key
   * @param {string | null} value null removes
   */
  set(key, value) {
    try {
      if (value === null) storage().removeItem(key);
      else storage().setItem(key, value);
    } catch {
      return other?.set(key, value) ?? false;
    }
    other?.set(key, null);
    return true;
  },
});
const session = memory(() => sessionStorage, name);
const leaving = memory(() => sessionStorage); // the name is read before the last page has gone
export const local = memory(() => localStorage);

/**
 * hold keeps a tab's ID for as long as the page lives.
 * @param {string} id
 * @param {boolean} ifAvailable false: when its holder is gone
 * @returns {Promise<boolean | null>} false: another page holds it; null: nobody can tell
 */
const hold = (id, ifAvailable = true) => new Promise((done) => {
  if (!navigator.locks) return done(null); // in an insecure context
  navigator.locks.request(`editlock-tab-${id}`, { ifAvailable }, (lock) => {
    done(lock !== null);
    return lock && new Promise(() => {});
  }).catch(() => done(null)); // site data are blocked
});

// Who reloads is in the same tab, whatever was copied.
const reloaded = () => /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType('navigation')[0])?.type === 'reload';

async function find() {
  const stored = session.get(key);
  const returned = stored !== null && (leaving.get(leftKey) === stored || stored === name.all()[key] && reloaded());
  leaving.set(leftKey, null);
  let id = stored ?? newID();
  const held = await hold(id);
  // If another page holds it, either this page's predecessor is still going
  // away, or the storage is a copy from a tab that lives.
  if (held !== true && !returned) id = newID();
  if (held === false) hold(id, false);
  session.set(key, id);
  addEventListener('pagehide', () => leaving.set(leftKey, id));
  addEventListener('pageshow', (e) => e.persisted && leaving.set(leftKey, null));
  return id;
}

/** @type {Promise<string> | undefined} */
let found;
export const tabID = () => found ??= find();

/**
 * browserSession is the session of who has no login: one per browser profile
 * and person, or per tab where the profile keeps nothing.
 * @param {Partial<Owner>} owner
 */
export function browserSession({ user_id: user, login, name: called }) {
  const at = ['editlock-session', user || login || called].filter(Boolean).join('/');
  const known = local.get(at) ?? session.get(at);
  const id = known ?? `browser-${newID()}`;
  if (!known && !local.set(at, id)) session.set(at, id);
  return id;
}
