import type { API } from '../api.js';
import type { Lock } from '../lock.js';
/**
 * heldSince tells whether somebody may have changed the object of a lock after a
 * moment of this page's clock; null: only who may read the history knows.
 * @param {Lock} lock
 * @param {API} api
 * @param {number} mono the moment, of performance.now()
 * @returns {Promise<boolean | null>}
 */
export declare function heldSince({ mutex, holder, around }: Lock, api: API, mono: number): Promise<boolean | null>;
