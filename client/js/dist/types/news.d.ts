import type { API } from './api.js';
import type { Entry } from './types.js';
/**
 * blocks are what an event stream sends, as the fields of each block.
 * @param {Response} response
 * @param {() => void} [alive] is called whenever anything comes, a heartbeat too
 * @returns {AsyncGenerator<Record<string, string>, void>}
 */
export declare function blocks(response: Response, alive?: () => void): AsyncGenerator<Record<string, string>, void>;
/**
 * listen tells of each event; without one: events may have been missed, look
 * again.
 * @param {API} api
 * @param {string} query such as "group=crm"
 * @param {(entry?: Entry) => void} tell
 * @returns {() => void} what ends it
 */
export declare function listen(api: API, query: string, tell: (entry?: Entry) => void): () => void;
