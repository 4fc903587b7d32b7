import { EditlockError } from './api.js';
import type { Claim } from './claim.js';
import type { Editlock } from './client.js';
import type { Mutex } from './types.js';
export type Tells = {
    /**
     * who holds it, and who waits
     */
    seen: (mutex: Mutex | null) => void;
    /**
     * a call did; it is tried again
     */
    failed: (e: EditlockError) => void;
};
/**
 * What is told meanwhile.
 * @typedef {object} Tells
 * @property {(mutex: Mutex | null) => void} seen who holds it, and who waits
 * @property {(e: EditlockError) => void} failed a call did; it is tried again
 */
/**
 * inQueue waits for a mutex. It throws the refusal that ends the wait: the
 * holder's, or that of the time which is over.
 * @param {Editlock} client
 * @param {Claim} claim
 * @param {string} message asks the holder to hand over
 * @param {AbortSignal} signal gives the place up
 * @param {Tells} tells
 * @returns {Promise<Mutex | null>} what was granted, for a short time, unless it is refreshed; null: given up
 */
export declare function inQueue(client: Editlock, claim: Claim, message: string, signal: AbortSignal, tells: Tells): Promise<Mutex | null>;
