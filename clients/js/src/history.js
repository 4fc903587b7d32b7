// Who held a lock while this page did not.

import { EditlockError } from './api.js';
import { blocks } from './news.js';

/** @import { API } from './api.js' */
/** @import { Entry, MutexID } from './types.js' */

/** The kinds of entries that end a hold. */
export const ends = ['released', 'expired', 'taken_over', 'force_released', 'handed_over'];
const begins = ['captured', 'taken_over', 'handed_over', 'upgraded'];
const patience = 8000;

/**
 * untouched tells whether nobody held a mutex between two tokens, or only shared
 * it, as a reader. Events tell
 * it, which need no right to the history: the entry of a capture has the
 * number of its token, and what is withheld or forgotten is a gap.
 * @param {API} api
 * @param {MutexID} mutex
 * @param {number} was
 * @param {number} now
 */
export async function untouched(api, mutex, was, now) {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(patience)]);
  try {
    const response = await api.fetch(`v1/events?${new URLSearchParams({ ...mutex, after: String(was) })}`, {
      signal, headers: { Accept: 'text/event-stream' },
    });
    for await (const { event, data } of blocks(response)) {
      if (event === 'gap' || event === 'problem') return false;
      if (!data) continue;
      /** @type {Entry} */
      const e = JSON.parse(data);
      if (e.seq >= now) return true;
      if (begins.includes(e.kind) && e.sharing !== 'shared') return false;
    }
    throw new Error('the stream has ended');
  } catch (e) {
    throw e instanceof EditlockError ? e : new EditlockError({ code: 'unreachable', detail: String(e) });
  } finally {
    stop.abort();
  }
}

/** @type {WeakSet<API>} callers without the right to the history, who ask no more */
const refused = new WeakSet();

/**
 * heldSince tells whether a hold ended after a moment of this page's clock;
 * null: this caller may not know.
 * @param {API} api
 * @param {MutexID} mutex
 * @param {string} asOf the store's clock, not long ago
 * @param {number} mono the moment, of performance.now()
 * @returns {Promise<boolean | null>}
 */
export async function heldSince(api, mutex, asOf, mono) {
  if (refused.has(api)) return null;
  const then = Date.parse(asOf) - (performance.now() - mono); // by the store's clock
  try {
    const [last] = (await api.get(`v1/history?${new URLSearchParams({ ...mutex, kind: ends.join(), limit: '1' })}`)).entries;
    return last !== undefined && Date.parse(last.at) >= then;
  } catch (e) {
    if (!(e instanceof EditlockError) || e.code !== 'forbidden') throw e;
    refused.add(api);
    return null;
  }
}
