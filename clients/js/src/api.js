// Calls of the server, and the one error they throw.

/** @import { Mutex, Problem } from './types.js' */

/** @typedef {Record<string, string>} Headers */

/**
 * @typedef {object} Connection
 * @property {string} [server] address of the server; relative to the page. Default "/".
 * @property {Headers | (() => Headers)} [headers] sent with each call, such as Authorization
 * @property {RequestCredentials} [credentials] of fetch; default "same-origin"
 */

// patience is how long an ordinary call may take, in milliseconds.
const patience = 8000;

/**
 * A refusal by the server, or its silence. code is the server's stable code,
 * or "unreachable": no answer, or one that says to come back later.
 */
export class EditlockError extends Error {
  /**
   * @param {Problem} problem
   * @param {number} [status] of HTTP; 0: there was no answer
   */
  constructor(problem, status = 0) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'EditlockError';
    this.code = problem.code;
    this.problem = problem;
    this.status = status;
  }

  /** @returns {Mutex | null} who is in the way */
  get holder() { return this.problem.holder ?? null; }

  /** Whether the same call may succeed a little later. */
  get temporary() { return this.code === 'unreachable'; }
}

/** @param {unknown} cause */
const unreachable = (cause, status = 0) => new EditlockError({ code: 'unreachable', detail: String(cause) }, status);

export class API {
  #headers;
  #credentials;

  /** @param {Connection} connection */
  constructor({ server = '/', headers = {}, credentials = 'same-origin' }) {
    /** Ends with a slash. */
    this.base = new URL(server.replace(/\/*$/, '/'), document.baseURI).href;
    this.#headers = typeof headers === 'function' ? headers : () => headers;
    this.#credentials = credentials;
  }

  /**
   * fetch answers with a response that is not a refusal.
   * @param {string} path
   * @param {RequestInit & {headers?: Headers}} init
   */
  async fetch(path, init) {
    let response;
    try {
      response = await fetch(this.base + path, {
        credentials: this.#credentials, cache: 'no-store', ...init, headers: { ...this.#headers(), ...init.headers },
      });
    } catch (cause) {
      throw unreachable(cause);
    }
    if (response.ok) return response;
    const { status } = response;
    if (status >= 500 || status === 429 || status === 408) throw unreachable(status, status);
    // A proxy's refusal has no problem in it, but its status says enough.
    const code = /** @type {Record<number, string>} */ ({ 401: 'unauthenticated', 403: 'forbidden' })[status] ?? 'invalid';
    throw new EditlockError({ code, detail: `HTTP ${status}`, ...await response.json().catch(() => ({})) }, status);
  }

  /**
   * @param {string} path
   * @param {RequestInit & {headers?: Headers}} [init]
   * @returns {Promise<any>}
   */
  async get(path, init = {}) {
    const response = await this.fetch(path, { signal: AbortSignal.timeout(patience), ...init });
    return response.json().catch((cause) => { throw unreachable(cause); });
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {{headers?: Headers, signal?: AbortSignal, keepalive?: boolean}} [init] keepalive: it may outlive its page
   */
  post(path, body, { headers, keepalive, signal = AbortSignal.timeout(patience) } = {}) {
    return this.get(path, {
      method: 'POST', signal, keepalive, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
    });
  }

  /**
   * beacon is a post from a page that is going away: nobody reads the answer.
   * @param {string} path
   * @param {object} body
   */
  beacon(path, body) {
    const text = JSON.stringify(body), headers = this.#headers();
    // A beacon can't carry headers; a fetch that outlives its page can.
    if (!Object.keys(headers).length && this.#credentials !== 'omit' && navigator.sendBeacon(this.base + path, text)) return;
    fetch(this.base + path, {
      method: 'POST', keepalive: true, body: text, credentials: this.#credentials,
      headers: { 'Content-Type': 'application/json', ...headers },
    }).catch(() => {});
  }
}
