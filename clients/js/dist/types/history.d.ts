import type { API } from './api.js';
import type { MutexID } from './types.js';
/** @import { API } from './api.js' */
/** @import { Entry, MutexID } from './types.js' */
/** The kinds of entries that end a hold. */
export declare const ends: string[];
/**
 * untouched tells whether nobody held a mutex between two tokens.
 * @param {API} api
 * @param {MutexID} mutex
 * @param {number} was
 * @param {number} now
 */
export declare function untouched(api: API, mutex: MutexID, was: number, now: number): Promise<boolean>;
/**
 * heldSince tells whether a hold ended after a moment of this page's clock.
 * @param {API} api
 * @param {MutexID} mutex
 * @param {string} asOf the store's clock, not long ago
 * @param {number} mono the moment, of performance.now()
 */
export declare function heldSince(api: API, mutex: MutexID, asOf: string, mono: number): Promise<boolean>;
