import type { API } from './api.js';
import type { MutexID } from './types.js';
/** @import { API } from './api.js' */
/** @import { Entry, MutexID } from './types.js' */
/** The kinds of entries that end a hold. */
export declare const ends: string[];
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
export declare function untouched(api: API, mutex: MutexID, was: number, now: number): Promise<boolean>;
