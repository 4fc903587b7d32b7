// Who else looks at the records that this page shows. Loaded where it is used;
// it takes no lock and prolongs none.

import { EditlockError } from './index.js';
import { backoff, jitter } from './clock.js';

export { Company } from './element/company.js';

/** @import { Editlock } from './client.js' */
/** @typedef {import('./types.js').RecordState} RecordState */
/** @typedef {import('./types.js').People} People */
/** @import { LookState, MutexID } from './types.js' */

// The server forgets a page 30 s after its last beat; two may be lost.
const every = 10_000;
// What has changed here is told so soon.
const soon = 400;
// Nobody has moved for so long: idle.
const idleAfter = 180_000;
const input = ['keydown', 'pointerdown', 'pointermove', 'input', 'wheel'];
/** So many records are asked about at a time. */
const atOnce = 100;
/** @type {(LookState | 'idle')[]} the strongest first */
const states = ['unsaved', 'editing', 'looking', 'idle'];
/** @type {People} */
const nobody = { people: [], count: 0 };

/**
 * @typedef {object} Looking
 * @property {MutexID} mutex
 * @property {LookState} state
 * @property {(people: People) => void} tell
 * @property {boolean} refused the server does not tell about this one
 */

/** @type {WeakMap<Editlock, Presence>} */
const all = new WeakMap();

/**
 * presence is the one of a client.
 * @param {Editlock} client
 * @returns {Presence}
 */
export function presence(client) {
  const known = all.get(client) ?? new Presence(client);
  all.set(client, known);
  return known;
}

export class Presence {
  #client;
  // A name of this page, not of its tab: what the last page of a tab says when it
  // goes may come after the first beat of the next one.
  #page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
  /** @type {Set<Looking>} */
  #looks = new Set();
  #moved = performance.now();
  #heard = -Infinity; // when the server answered last
  #known = false; // it has this door
  #failures = 0;
  #due = Infinity;
  #under = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** Made by presence. @param {Editlock} client */
  constructor(client) {
    this.#client = client;
    client.rider = () => this.#known && this.#looks.size ? this.#beatOf() : null;
    addEventListener('pagehide', () => this.#looks.size && this.#leave());
    addEventListener('pageshow', (e) => e.persisted && this.#plan(0));
    addEventListener('online', () => this.#plan(0));
    document.addEventListener('visibilitychange', () => this.#plan(0));
    for (const name of input) addEventListener(name, () => this.#move(), { capture: true, passive: true });
  }

  #move() {
    const idle = this.#idle;
    this.#moved = performance.now();
    if (idle) this.#plan(soon);
  }

  get #idle() { return performance.now() - this.#moved > idleAfter; }

  /**
   * look makes this page present at a record, until stop is called.
   * @param {MutexID} mutex
   * @param {(people: People) => void} tell is called with who else looks, after each beat
   */
  look(mutex, tell) {
    /** @type {Looking} */
    const one = { mutex: { group: mutex.group ?? '', mode: mutex.mode ?? '', id: mutex.id, ...mutex.part && { part: mutex.part } }, state: 'looking', tell, refused: false };
    this.#looks.add(one);
    this.#plan(0);
    return {
      /** @param {LookState} state what this page does with it */
      set: (state) => {
        if (state === one.state) return;
        one.state = state;
        this.#plan(soon);
      },
      stop: () => {
        if (!this.#looks.delete(one)) return;
        if (this.#looks.size) this.#plan(soon);
        else this.#leave();
      },
    };
  }

  /**
   * query resolves to the records of a list: who edits them, who reads them under a shared lock, and who looks.
   * @param {MutexID[]} mutexes
   * @returns {Promise<RecordState[]>} in their order; of those that the server does not tell about, nobody
   */
  async query(mutexes) {
    const { api, owner } = this.#client;
    /** @type {RecordState[]} */
    const out = [];
    for (let i = 0; i < mutexes.length; i += atOnce) {
      const { results } = await api.post('v1/presence-query', { owner, mutexes: mutexes.slice(i, i + atOnce) });
      out.push(...results.map((/** @type {any} */ r) => r.code ? { holder: null, captured_at: null, mine: false, readers: [], ...nobody } : r));
    }
    return out;
  }

  // --- the beat

  /** What a beat says, and what takes its answer. */
  #beatOf() {
    /** @type {Map<string, {mutex: MutexID, state: LookState | 'idle', hidden?: true, of: Looking[]}>} */
    const records = new Map();
    for (const one of this.#looks) {
      if (one.refused) continue;
      const state = one.state === 'looking' && this.#idle ? 'idle' : one.state, key = JSON.stringify(Object.values(one.mutex));
      const known = records.get(key);
      if (known) {
        known.of.push(one);
        if (states.indexOf(state) < states.indexOf(known.state)) known.state = state;
      } else records.set(key, { mutex: one.mutex, state, hidden: document.hidden || undefined, of: [one] });
    }
    const asked = [...records.values()];
    return {
      body: { page: this.#page, looks: asked.map(({ of, ...look }) => look) },
      /** @param {any[] | undefined} results */
      heard: (results) => {
        if (!results) return;
        this.#heard = performance.now();
        this.#failures = 0;
        asked.forEach(({ of }, i) => {
          for (const one of of) {
            one.refused = results[i].code === 'forbidden';
            if (this.#looks.has(one)) one.tell(results[i].code ? nobody : results[i]);
          }
        });
        this.#plan(jitter(every));
      },
    };
  }

  // A hidden page is forgotten, unless somebody would lose by it.
  get #silent() { return !this.#looks.size || document.hidden && ![...this.#looks].some((one) => one.state === 'unsaved'); }

  /** @param {number} wait ms until the next beat, unless one is due before; more than soon puts it off */
  #plan(wait) {
    const due = performance.now() + wait;
    if (wait <= soon && due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#beat(), wait);
  }

  async #beat() {
    this.#due = Infinity;
    if (this.#under) return this.#plan(soon);
    const { body, heard } = this.#beatOf();
    if (this.#silent || !body.looks.length) return;
    this.#under = true;
    const { api, owner } = this.#client;
    try {
      const { results } = await api.post('v1/presence', { owner, ...body });
      this.#known = true;
      heard(results);
    } catch (e) {
      if (!(e instanceof EditlockError)) throw e;
      if (performance.now() - this.#heard > 3 * every) for (const one of this.#looks) one.tell(nobody);
      if (e.code !== 'not_found') this.#plan(Math.max(every, backoff(++this.#failures), e.retryAfter));
    } finally {
      this.#under = false;
    }
  }

  #leave() {
    const { api, owner } = this.#client;
    clearTimeout(this.#timer);
    this.#due = Infinity;
    api.beacon('v1/presence', { owner, page: this.#page, looks: [] });
  }
}
