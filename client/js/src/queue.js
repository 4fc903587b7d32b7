// Waiting in the queue of a mutex: long calls, one after the other, that keep
// one place.

import { EditlockError } from './api.js';
import { newID } from './tab.js';

/** @import { Claim } from './claim.js' */
/** @import { Editlock } from './client.js' */
/** @import { Mutex } from './types.js' */

/** How long a wait lasts at most, in ms. */
const waitFor = 3_600_000;
/** A wait is made of requests that are answered within so many seconds: proxies cut off longer ones. */
const answersWithin = 25;
/** How long an answer may take beyond that, in ms, before its connection counts as dead. */
const answerLate = 15_000;
/** A request that lasted so long, in ms, has reached the server. */
const reached = 1000;

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
export async function inQueue(client, claim, message, signal, tells) {
  const { api } = client;
  // The place in the queue is the key's: asking again keeps it, and it is
  // given up at once.
  let key = newID(), over = false, short = false;
  signal.addEventListener('abort', () => { if (!over) claim.abandon(key); });
  const done = await client.waitSlot(signal);
  const until = performance.now() + waitFor;
  try {
    for (let failures = 1; !signal.aborted; failures++) {
      const began = performance.now();
      try {
        const { state, mutex } = await api.post('v1/capture',
          { ...claim.capture, wait: `${Math.max(1, Math.ceil((until - began) / 1000))}s`, message },
          {
            signal: short ? AbortSignal.any([signal, AbortSignal.timeout(answersWithin * 1000 + answerLate)]) : signal,
            headers: { 'Idempotency-Key': key, Prefer: `respond-async, wait=${answersWithin}` },
          });
        if (signal.aborted) break;
        if (state !== 'WAITING') return mutex;
        failures = 0;
        short = true;
        tells.seen(mutex);
      } catch (e) {
        if (signal.aborted) break;
        if (!(e instanceof EditlockError)) throw e;
        if (e.code === 'unreachable' && performance.now() - began > reached) {
          failures = 0; // cut off by a proxy: the place is kept
          continue;
        }
        if (e.code === 'lost') key = newID(); // the place was given up meanwhile
        else if (!e.temporary) throw e;
        tells.failed(e);
        // The place is kept for some seconds only.
        await client.pause(Math.min(failures, 3), signal, e.retryAfter);
      }
    }
    return null;
  } finally {
    over = true;
    done();
  }
}
