// Time as the page may trust it: spans, never dates of another clock.

/** @typedef {{mono: number, wall: number}} Moment */

// Neither clock alone is safe: the monotonic one may stand still while a
// computer sleeps, the other may be set. What either has passed, has passed.

/** @returns {Moment} */
export const moment = () => ({ mono: performance.now(), wall: Date.now() });

/**
 * @param {Moment} at
 * @param {number} ms
 */
export const later = (at, ms) => ({ mono: at.mono + ms, wall: at.wall + ms });

/**
 * left is how many milliseconds there are until a moment, at most.
 * @param {Moment} at
 */
export const left = (at) => Math.min(at.mono - performance.now(), at.wall - Date.now());

/** @param {number} ms give or take a tenth, so that a thousand pages don't call at once */
export const jitter = (ms) => ms * (0.9 + 0.2 * Math.random());

/**
 * backoff is how long to wait after so many failures in a row: 1 s, doubling
 * up to 60 s, less up to a half.
 * @param {number} failures
 */
export const backoff = (failures) => Math.min(60_000, 1000 * 2 ** (failures - 1)) * (1 - Math.random() / 2);

/**
 * duration reads "300s", "1h30m" or "500ms" as milliseconds; "never" is
 * Infinity.
 * @param {string} text
 */
export function duration(text) {
  if (text === 'never') return Infinity;
  const units = /** @type {Record<string, number>} */ ({ h: 3_600_000, m: 60_000, s: 1000, ms: 1 });
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) sum += Number(n) * units[unit];
  if (!/^([\d.]+(ms|h|m|s))+$/.test(text) || !(sum > 0)) throw new RangeError(`"${text}" is not a duration such as "15m", "90s" or "never"`);
  return sum;
}
