import type { Mutex, Owner, Problem } from './types.js';
export type Headers = Record<string, string>;
export type Connection = {
    /**
     * address of the server; relative to the page. Default "/".
     */
    server?: string;
    /**
     * sent with each call, such as Authorization
     */
    headers?: Headers | (() => Headers);
    /**
     * the page's JWT, or what is asked for one: once, and
     * again when the server refuses it. Its claims are the owner. Sent as Authorization: Bearer, to the server alone.
     */
    token?: string | (() => string | Promise<string>);
    /**
     * of fetch; default "same-origin"
     */
    credentials?: RequestCredentials;
};
/**
 * A refusal by the server, or its silence. code is the server's stable code,
 * or "unreachable": no answer, or one that says to come back later; "limited"
 * is such a one, too, of a caller who asks too much.
 */
export declare class EditlockError extends Error {
    code: string;
    problem: Problem;
    status: number;
    retryAfter: number;
    /** The server is there, but has not allowed pages of this site to read its answers ([http] origins). */
    hidden: boolean;
    /**
     * @param {Problem} problem
     * @param {number} [status] of HTTP; 0: there was no answer
     * @param {number} [retryAfter] ms in which the server wants to hear nothing
     */
    constructor(problem: Problem, status?: number, retryAfter?: number);
    /** @returns {Mutex | null} who is in the way */
    get holder(): Mutex | null;
    /** Whether the same call may succeed a little later. */
    get temporary(): boolean;
}
export declare class API {
    #private;
    /** Ends with a slash. */
    base: string;
    /**
     * @param {Connection} connection
     * @param {(owner: Owner) => void} [tell] hears whom a token names
     */
    constructor({ server, headers, token, credentials }: Connection, tell?: (owner: Owner) => void);
    /**
     * Asks for a token where there is none, or none but a refused one.
     * @param {string} [old]
     */
    ask(old?: string): Promise<void>;
    /** Whether a token's claims are the owner. */
    get named(): boolean;
    /**
     * fetch answers with a response that is not a refusal.
     * @param {string} path
     * @param {RequestInit & {headers?: Headers}} init
     */
    fetch(path: string, init: RequestInit & {
        headers?: Headers;
    }): Promise<Response>;
    /**
     * @param {string} path
     * @param {RequestInit & {headers?: Headers}} [init]
     * @returns {Promise<any>}
     */
    get(path: string, init?: RequestInit & {
        headers?: Headers;
    }): Promise<any>;
    /**
     * @param {string} path
     * @param {object} body
     * @param {{headers?: Headers, signal?: AbortSignal, keepalive?: boolean}} [init] keepalive: it may outlive its page
     */
    post(path: string, body: object, { headers, keepalive, signal }?: {
        headers?: Headers;
        signal?: AbortSignal;
        keepalive?: boolean;
    }): Promise<any>;
    /**
     * beacon is a post from a page that is going away: nobody reads the answer.
     * @param {string} path
     * @param {object} body
     */
    beacon(path: string, body: object): void;
}
