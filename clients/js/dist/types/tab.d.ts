/** An ID that nobody can guess; in an insecure context too, unlike crypto.randomUUID. */
export declare const newID: () => string;
export declare const session: {
    /** @param {string} name */
    get(name: string): string | null;
    /**
     * @param {string} name
     * @param {string | null} value null removes
     */
    set(name: string, value: string | null): boolean;
};
export declare const local: {
    /** @param {string} name */
    get(name: string): string | null;
    /**
     * @param {string} name
     * @param {string | null} value null removes
     */
    set(name: string, value: string | null): boolean;
};
export declare const tabID: () => Promise<string>;
/** browserSession is the session of who has no login: one per browser profile. */
export declare function browserSession(): string;
