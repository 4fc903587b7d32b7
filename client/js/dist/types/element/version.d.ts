import type { EditLockElement } from '../element.js';
import type { Problem } from '../types.js';
/** @import { EditLockElement } from '../element.js' */
/** @import { Problem } from '../types.js' */
/** The code of a save that is refused as the record changed. */
export declare const code = "changed";
/** @type {Record<'en' | 'ru', Record<string, string>>} */
export declare const tables: Record<'en' | 'ru', Record<string, string>>;
/**
 * versionOf is the version that an answer carries in ETag; null without one.
 * @param {Response} answer
 */
export declare function versionOf(answer: Response): string | null;
export declare class Versions {
    #private;
    /**
     * @param {EditLockElement} host
     * @param {() => Record<string, string>} read the fields as they are
     * @param {() => void} latest shows what is stored now, and keeps what was typed
     */
    constructor(host: EditLockElement, read: () => Record<string, string>, latest: () => void);
    stop(): void;
    /**
     * send makes one save at a time, and tells the element what became of it.
     * @param {RequestInfo | URL} url
     * @param {Omit<RequestInit, 'body'> & {body?: BodyInit | (() => BodyInit)}} [init]
     * @returns {Promise<Response>}
     */
    send(url: RequestInfo | URL, init?: Omit<RequestInit, 'body'> & {
        body?: BodyInit | (() => BodyInit);
    }): Promise<Response>;
    /** follow goes on with another version. */
    follow(): void;
    /**
     * refused tells the page, and unless it takes that on, the reader.
     * @param {Problem} problem
     */
    refused(problem: Problem): void;
}
