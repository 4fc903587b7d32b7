// What the history says of a lock that this page did not hold all the time.

/** @import { API } from './api.js' */
/** @import { Entry, MutexID } from './types.js' */

/** The kinds of entries that end a hold. */
export const ends = ['released', 'expired', 'taken_over', 'force_released', 'handed_over'];

/**
 * @param {API} api
 * @param {MutexID} mutex
 * @param {Record<string, string>} more
 * @returns {Promise<Entry[]>} the newest first
 */
async function history(api, mutex, more) {
  return (await api.get(`v1/history?${new URLSearchParams({ ...mutex, ...more })}`)).entries;
}

/**
 * untouched tells whether nobody held a mutex between two tokens.
 * @param {API} api
 * @param {MutexID} mutex
 * @param {number} was
 * @param {number} now
 */
export async function untouched(api, mutex, was, now) {
  const entries = await history(api, mutex, { kind: 'captured,taken_over,handed_over', limit: '20' });
  return entries.every((e) => e.token <= was || e.token >= now);
}

/**
 * heldSince tells whether a hold ended after a moment of this page's clock.
 * @param {API} api
 * @param {MutexID} mutex
 * @param {string} asOf the store's clock, not long ago
 * @param {number} mono the moment, of performance.now()
 */
export async function heldSince(api, mutex, asOf, mono) {
  const then = Date.parse(asOf) - (performance.now() - mono); // by the store's clock
  const [last] = await history(api, mutex, { kind: ends.join(), limit: '1' });
  return last !== undefined && Date.parse(last.at) >= then;
}
