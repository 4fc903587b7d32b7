export type Moment = {
    mono: number;
    wall: number;
};
/** @typedef {{mono: number, wall: number}} Moment */
/** @returns {Moment} */
export declare const moment: () => Moment;
/**
 * @param {Moment} at
 * @param {number} ms
 */
export declare const later: (at: Moment, ms: number) => {
    mono: number;
    wall: number;
};
/**
 * left is how many milliseconds there are until a moment, at most.
 * @param {Moment} at
 */
export declare const left: (at: Moment) => number;
/** @param {number} ms give or take a tenth, so that a thousand pages don't call at once */
export declare const jitter: (ms: number) => number;
/**
 * backoff is how long to wait after so many failures in a row: 1 s, doubling
 * up to 60 s, less up to a half.
 * @param {number} failures
 */
export declare const backoff: (failures: number) => number;
/**
 * duration reads "300s", "1h30m" or "500ms" as milliseconds; "never" is
 * Infinity.
 * @param {string} text
 */
export declare function duration(text: string): number;
