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
