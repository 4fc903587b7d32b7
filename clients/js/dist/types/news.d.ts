import type { API } from './api.js';
import type { Entry } from './types.js';
/**
 * listen tells of each event; without one: events may have been missed, look
 * again.
 * @param {API} api
 * @param {string} query such as "group=crm"
 * @param {(entry?: Entry) => void} tell
 * @returns {() => void} what ends it
 */
export declare function listen(api: API, query: string, tell: (entry?: Entry) => void): () => void;
