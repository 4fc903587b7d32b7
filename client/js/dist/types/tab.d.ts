import type { Owner } from './types.js';
/** An ID that nobody can guess; in an insecure context too, unlike crypto.randomUUID. */
export declare const newID: () => string;
export declare const local: {
    /** @param {string} key */
    get(key: string): string | null;
    /**
     * @param {string} key
     * @param {string | null} value null removes
     */
    set(key: string, value: string | null): boolean;
};
export declare const tabID: () => Promise<string>;
/**
 * browserSession is the session of who has no login: one per browser profile
 * and person, or per tab where the profile keeps nothing.
 * @param {Partial<Owner>} owner
 */
export declare function browserSession({ user_id: user, login, name: called }: Partial<Owner>): string;
