// Calls of the server, and the one error they throw.

/** @import { Mutex, Owner, Problem } from './types.js' */

/** @typedef {Record<string, string>} Headers */

/**
 * @typedef {object} Connection
 * @property {string} [server] address of the server; relative to the page. Default "/".
 * @property {Headers | (() => Headers)} [headers] sent with each call, such as Authorization
 * @property {string | (() => string | Promise<string>)} [token] the page's JWT, or what is asked for one: once, and
 *   again when the server refuses it. Its claims are the owner. Sent as Authorization: Bearer, to the server alone.
 * @property {RequestCredentials} [credentials] of fetch; default "same-origin"
 */

// patience is how long an ordinary call may take, in milliseconds.
const patience = 8000;

/**
 * A refusal by the server, or its silence. code is the server's stable code,
 * or "unreachable": no answer, or one that says to come back later; "limited"
 * is such a one, too, of a caller who asks too much.
 */
export class EditlockError extends Error {
  /**
   * @param {Problem} problem
   * @param {number} [status] of HTTP; 0: there was no answer
   * @param {number} [retryAfter] ms in which the server wants to hear nothing
   */
  constructor(problem, status = 0, retryAfter = 0) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'EditlockError';
    this.code = problem.code;
    this.problem = problem;
    this.status = status;
    this.retryAfter = retryAfter;
    /** The server is there, but has not allowed pages of this site to read its answers ([http] origins). */
    this.hidden = false;
  }

  /** @returns {Mutex | null} who is in the way */
  get holder() { return this.problem.holder ?? null; }

  /** Whether the same call may succeed a little later. */
  get temporary() { return this.code === 'unreachable' || this.code === 'limited'; }
}

/** @param {unknown} cause */
const unreachable = (cause, status = 0) => new EditlockError({ code: 'unreachable', detail: String(cause) }, status);

/**
 * claimed is the owner whom a JWT names, as far as a page can know: the server
 * alone checks it.
 * @param {string} token
 * @returns {Owner | undefined}
 */
function claimed(token) {
  try {
    const text = atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'));
    const { editlock, sid, jti, sub, preferred_username: login, name } = JSON.parse(decodeURIComponent(escape(text)));
    return { session: editlock?.session || sid || jti, user_id: sub, login, name };
  } catch { /* the server says what is wrong with it */ }
}

export class API {
  #headers;
  #credentials;
  #source;
  #token = '';
  #tell;

  /**
   * @param {Connection} connection
   * @param {(owner: Owner) => void} [tell] hears whom a token names
   */
  constructor({ server = '/', headers = {}, token, credentials = 'same-origin' }, tell) {
    this.#source = token;
    this.#tell = tell;
    /** Ends with a slash. */
    this.base = new URL(server.replace(/\/*$/, '/'), document.baseURI).href;
    this.#headers = typeof headers === 'function' ? headers : () => headers;
    this.#credentials = credentials;
  }

  /**
   * Asks for a token where there is none, or none but a refused one.
   * @param {string} [old]
   */
  async ask(old = '') {
    if (!this.#source || this.#token !== old) return;
    const token = typeof this.#source === 'string' ? this.#source : await this.#source();
    if (token === this.#token) return;
    this.#token = token;
    const owner = claimed(token);
    if (owner) this.#tell?.(owner);
  }

  // Browsers tell a page of another site nothing of an answer that it may not
  // read, as if there were none. So a server that was never heard is asked
  // whether it is there.
  #heard = false;
  async #hidden() {
    if (this.#heard || new URL(this.base).origin === new URL(document.baseURI).origin) return false;
    return fetch(`${this.base}healthz`, { mode: 'no-cors', credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(patience) })
      .then(() => true, () => false);
  }

  /** Whether a token's claims are the owner. */
  get named() { return Boolean(this.#source); }

  /** @returns {Headers} */
  #all() { return { ...this.#headers(), .../** @type {Headers} */ (this.#token && { Authorization: `Bearer ${this.#token}` }) }; }

  /**
   * fetch answers with a response that is not a refusal.
   * @param {string} path
   * @param {RequestInit & {headers?: Headers}} init
   */
  async fetch(path, init) {
    const send = () => fetch(this.base + path, {
      credentials: this.#credentials, cache: 'no-store', redirect: this.#source ? 'error' : 'follow', ...init, headers: { ...this.#all(), ...init.headers },
    });
    let response;
    try {
      await this.ask();
      const used = this.#token;
      response = await send();
      if (response.status === 401 && this.#source) {
        await this.ask(used);
        if (this.#token !== used) response = await send();
      }
    } catch (cause) {
      const e = unreachable(cause);
      e.hidden = cause instanceof TypeError && await this.#hidden();
      throw e;
    }
    this.#heard = true;
    if (response.ok) return response;
    const { status } = response;
    if (status >= 500 || status === 408) throw unreachable(status, status);
    // A proxy's refusal has no problem in it, but its status says enough.
    const code = /** @type {Record<number, string>} */ ({ 401: 'unauthenticated', 403: 'forbidden', 429: 'limited' })[status] ?? 'invalid';
    throw new EditlockError({ code, detail: `HTTP ${status}`, ...await response.json().catch(() => ({})) }, status,
      status === 429 ? (Number(response.headers.get('Retry-After')) || 1) * 1000 : 0);
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
      method: 'POST', signal, keepalive, body: this.#text(body), headers: { 'Content-Type': 'application/json', ...headers },
    });
  }

  /**
   * Where a token's claims are the owner, nobody else may be stated.
   * @param {object} body
   */
  #text(body) { return JSON.stringify(this.#source ? { ...body, owner: undefined } : body); }

  /**
   * beacon is a post from a page that is going away: nobody reads the answer.
   * @param {string} path
   * @param {object} body
   */
  beacon(path, body) {
    const text = this.#text(body), headers = this.#all();
    // A beacon can't carry headers; a fetch that outlives its page can.
    if (!Object.keys(headers).length && this.#credentials !== 'omit' && navigator.sendBeacon(this.base + path, text)) return;
    fetch(this.base + path, {
      method: 'POST', keepalive: true, body: text, credentials: this.#credentials, redirect: this.#source ? 'error' : 'follow',
      headers: { 'Content-Type': 'application/json', ...headers },
    }).catch(() => {});
  }
}
