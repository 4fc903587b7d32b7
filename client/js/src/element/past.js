// Whether a text that a page has loaded may be old.

import { EditlockError } from '../index.js';

/** @import { API } from '../api.js' */
/** @import { Lock } from '../lock.js' */

// The kinds of entries that end a hold.
const kind = 'released,expired,taken_over,force_released,handed_over';

/** @type {WeakSet<API>} callers without the right to the history, who ask no more */
const refused = new WeakSet();

/**
 * heldSince tells whether somebody may have changed the object of a lock after a
 * moment of this page's clock; null: only who may read the history knows.
 * @param {Lock} lock
 * @param {API} api
 * @param {number} mono the moment, of performance.now()
 * @returns {Promise<boolean | null>}
 */
export async function heldSince({ mutex, holder, around }, api, mono) {
  if (!holder) return false;
  if (around > mono) return true;
  if (refused.has(api)) return null;
  const then = Date.parse(holder.as_of) - (performance.now() - mono); // by the store's clock
  try {
    for (const id of mutex.part ? [mutex, { ...mutex, part: '' }] : [mutex]) {
      const [last] = (await api.get(`v1/history?${new URLSearchParams({ ...id, kind, limit: '1' })}`)).entries;
      if (last && Date.parse(last.at) >= then) return true;
    }
    return false;
  } catch (e) {
    if (!(e instanceof EditlockError) || e.code !== 'forbidden') throw e;
    refused.add(api);
    return null;
  }
}
