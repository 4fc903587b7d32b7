// One client per page: one beat for all locks, one ear for the server's news,
// one eye on whether somebody is there.

import { API, EditlockError } from './api.js';
import { backoff, jitter, left, later, moment } from './clock.js';
import { Lock } from './lock.js';
import { listen } from './news.js';
import { browserSession } from './tab.js';

/** @import { Connection } from './api.js' */
/** @import { Entry, MutexID, Owner, Terms } from './types.js' */

/**
 * @typedef {object} Options
 * @property {Partial<Owner>} [owner] who the reader is. Without a session it is one per browser profile and person.
 * @property {string} [grace] how long a lock outlives its page, for the next page to take it up; "4s"
 */

// What another holds is looked at so often, by pages that are seen: news can be
// lost, and leaving a queue is none.
const lookEvery = 10_000;
const warnBefore = 60_000;
// Less between two clocks may be the network's delay.
const wrongClock = 30_000;
// Of the six connections to a server, so many may wait.
const waitSlots = 3;
const input = ['keydown', 'pointerdown', 'input', 'wheel'];

export class Editlock {
  /** @type {Owner} */
  #owner = { session: '' };

  #grace;
  /** @type {Set<Lock>} */
  #locks = new Set();
  /** @type {Map<string, Promise<void>>} who asks for a mutex now, or asks last */
  #asking = new Map();
  /** @type {Map<string, {tells: Set<(entry?: Entry) => void>, stop: () => void}>} */
  #ears = new Map();
  #closed = new AbortController();
  /** @type {(() => {body: object, heard: (results: any[] | undefined) => void} | null) | null} what goes along with the beat: see presence.js */
  rider = null;

  #failures = 0;
  #notBefore = 0; // of performance.now(): the server wants to hear nothing until then
  #due = Infinity;
  #lastBeat = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #beatTimer;
  /** @type {Set<Lock> | null} who is asked for by the beat that is under way */
  #beating = null;
  #beatAgain = false;
  #active = moment();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idleTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lookTimer;

  /** @param {Connection & Options} [options] */
  constructor({ owner = {}, grace = '4s', ...connection } = {}) {
    this.api = new API(connection, (named) => { this.owner = named; });
    this.owner = { session: '', ...owner };
    this.#grace = grace;
    const on = { signal: this.#closed.signal };
    addEventListener('pagehide', () => this.#leave(), on);
    addEventListener('pageshow', (e) => e.persisted && this.#comeBack(), on);
    addEventListener('focus', () => this.#wake(), on);
    addEventListener('online', () => this.#wake(true), on);
    document.addEventListener('visibilitychange', () => document.hidden || this.#wake(), on);
    for (const name of input) addEventListener(name, () => this.active(), { ...on, capture: true, passive: true });
    this.#lookLater();
  }

  /**
   * Who calls; may be replaced after a new login. Without a session it is one per browser profile and person.
   * @returns {Owner}
   */
  get owner() { return this.#owner; }

  /** @param {Owner} owner */
  set owner(owner) { this.#owner = { ...owner, session: owner.session || browserSession(owner) }; }

  /**
   * lock returns the lock of an object. It asks for nothing before its open.
   * @param {MutexID} mutex
   * @param {Terms} [terms]
   */
  lock(mutex, terms = {}) { return new Lock(this, mutex, terms); }

  /**
   * inTurn lets one after the other of this page ask for a mutex. Where an element
   * is removed and put back at once, the earlier asking must not be answered after
   * the later one: each takes the tab's own lock for left from before.
   * @param {MutexID} mutex
   * @param {() => Promise<void>} ask
   */
  async inTurn(mutex, ask) {
    const key = JSON.stringify(mutex);
    const before = this.#asking.get(key), mine = before ? before.then(ask, ask) : ask();
    this.#asking.set(key, mine);
    try {
      await mine;
    } finally {
      if (this.#asking.get(key) === mine) this.#asking.delete(key);
    }
  }

  /**
   * join takes a lock into the beat, until it leaves.
   * @param {Lock} lock
   * @param {(entry?: Entry) => void} tell
   */
  join(lock, tell) {
    this.#locks.add(lock);
    const unwatch = this.watch(lock.mutex, tell);
    return () => {
      this.#locks.delete(lock);
      unwatch();
    };
  }

  /**
   * watch tells of each event of a group (or else of a mode, or of one mutex);
   * without one: events may have been missed, look again.
   * @param {Partial<MutexID>} what
   * @param {(entry?: Entry) => void} tell
   * @returns {() => void} what ends it
   */
  watch({ group, mode, id }, tell) {
    const query = new URLSearchParams(group ? { group } : mode ? { mode } : { id: id ?? '' }).toString();
    let ear = this.#ears.get(query);
    if (!ear) {
      const tells = new Set();
      ear = { tells, stop: listen(this.api, query, (entry) => { for (const t of [...tells]) t(entry); }) };
      this.#ears.set(query, ear);
    }
    const { tells, stop } = ear;
    tells.add(tell);
    return () => {
      if (!tells.delete(tell) || tells.size) return;
      stop();
      this.#ears.delete(query);
    };
  }

  /**
   * releaseSession frees all that this session holds, in all tabs: for a logout.
   * @returns {Promise<MutexID[]>} what it was
   */
  async releaseSession() {
    await this.api.ask(); // a token says which session that is
    const { owner } = this;
    const { mutexes } = await this.api.post('v1/release-session', { session: owner.session, owner });
    this.beat();
    return mutexes;
  }

  #skew = 0;

  /** @param {string} asOf the server's clock just now */
  tick(asOf) { this.#skew = Date.now() - Date.parse(asOf); }

  /**
   * date is what a time of the server is on this computer's clock, so that
   * "since 12:04" fits the clock that the reader sees, whichever is wrong.
   * @param {string} time
   */
  date(time) { return new Date(Date.parse(time) + (Math.abs(this.#skew) > wrongClock ? this.#skew : 0)); }

  /**
   * reload loads the page again, however slowly: its locks wait for the next
   * page as long as the server lets them.
   */
  reload() {
    this.#grace = '1m';
    location.reload();
  }

  /** close gives everything back, and stops. */
  async close() {
    clearTimeout(this.#lookTimer);
    await Promise.all([...this.#locks].map((lock) => lock.release()));
    this.#closed.abort();
  }

  // --- the beat

  #held() { return [...this.#locks].filter((l) => l.token); }

  /**
   * reached is told that the server has given or confirmed a lock.
   * @param {boolean} begins its hold begins, so somebody is there
   */
  reached(begins) {
    this.#failures = 0;
    if (begins) this.#active = moment();
    this.schedule();
  }

  /**
   * limited puts off the next beat as long as the server asks for.
   * @param {EditlockError} e
   */
  limited(e) { this.#notBefore = Math.max(this.#notBefore, performance.now() + e.retryAfter); }

  /** schedule sees to it that the next beat comes in time for every lock. */
  schedule() {
    this.#watchIdle();
    const held = this.#held(), failed = [...this.#locks].filter((l) => l.problem?.temporary);
    if (!held.length && !failed.length) return;
    const wait = this.#failures || !held.length ? backoff(Math.max(1, this.#failures)) : jitter(Math.min(...held.map((l) => l.every)));
    const due = Math.max(performance.now() + wait, this.#notBefore);
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#beatTimer);
    this.#beatTimer = setTimeout(() => this.beat(), due - performance.now());
  }

  /**
   * beat refreshes all locks of this page in one call. Calls during a beat that
   * asks for the same lock already share it.
   * @param {Lock} [lock]
   */
  async beat(lock) {
    if (this.#beating) {
      if (lock && !this.#beating.has(lock)) this.#beatAgain = true;
      return;
    }
    clearTimeout(this.#beatTimer);
    this.#due = Infinity;
    this.#beatAgain = false;
    for (const l of this.#locks) {
      if (!l.problem?.temporary) continue;
      this.#failures++;
      l.open();
    }
    const asked = this.#held().map((l) => ({ lock: l, token: l.token }));
    if (!asked.length) return;
    this.#beating = new Set(asked.map((a) => a.lock));
    this.#lastBeat = performance.now();
    const sent = moment(), ride = this.rider?.();
    try {
      const { results, presence } = await this.api.post('v1/refresh', {
        owner: this.owner, items: asked.map((a) => ({ mutex: a.lock.mutex, token: a.token })), presence: ride?.body,
      });
      this.#failures = 0;
      ride?.heard(presence);
      asked.forEach((a, i) => a.lock.beaten(results[i], sent, a.token));
    } catch (e) {
      if (!(e instanceof EditlockError)) throw e;
      this.#failures++;
      this.limited(e);
      asked.forEach((a) => a.lock.missed(e));
    } finally {
      this.#beating = null;
    }
    if (this.#beatAgain) this.beat();
    else this.schedule();
  }

  /**
   * pause waits before another try; being online again ends it.
   * @param {number} failures
   * @param {AbortSignal} signal
   * @param {number} [least] ms
   */
  pause(failures, signal, least = 0) {
    return new Promise((done) => {
      setTimeout(done, Math.max(backoff(failures), least));
      for (const on of [window, signal]) on.addEventListener(on === window ? 'online' : 'abort', done, { once: true });
    });
  }

  /**
   * waitSlot is the right to one more long call, so that waiting tabs leave
   * connections for others.
   * @param {AbortSignal} signal
   * @returns {Promise<() => void>} gives it back
   */
  async waitSlot(signal) {
    if (!navigator.locks) return () => {};
    const { base } = this.api;
    /** @param {number} slot @param {LockOptions} options @returns {Promise<(() => void) | null>} */
    const ask = (slot, options) => new Promise((done) => {
      navigator.locks.request(`editlock wait ${base} ${slot}`, options, (got) => new Promise((free) => {
        if (!got) free(undefined);
        done(got && (() => free(undefined)));
      })).catch(() => done(null));
    });
    for (let slot = 0; slot < waitSlots; slot++) {
      const free = await ask(slot, { ifAvailable: true });
      if (free) return free;
    }
    return await ask(Math.floor(Math.random() * waitSlots), { signal }) ?? (() => {});
  }

  // --- whether somebody is there

  /** active tells that somebody is there, where the page does not hear it itself. */
  active() {
    this.#active = moment();
    for (const l of this.#locks) if (l.inactiveAt) l.warn(null);
  }

  #watchIdle() {
    clearTimeout(this.#idleTimer);
    let next = Infinity;
    for (const l of this.#held()) {
      const end = later(this.#active, l.inactiveAfter), remains = left(end);
      const warn = Math.min(warnBefore, l.inactiveAfter / 5);
      if (remains <= 0) {
        l.retire();
        continue;
      }
      if (remains <= warn) l.warn(new Date(end.wall));
      next = Math.min(next, remains <= warn ? remains : remains - warn);
    }
    if (next < 2 ** 31) this.#idleTimer = setTimeout(() => this.#watchIdle(), next + 10);
  }

  // --- the life of the page

  /** @type {Lock[]} */
  #left = [];

  #leave() {
    clearTimeout(this.#beatTimer);
    this.#left = [...this.#locks].filter((l) => l.leave(this.#grace));
  }

  #comeBack() {
    for (const l of this.#left) l.open();
    this.#wake();
  }

  #wake(online = false) {
    this.#watchIdle();
    for (const l of this.#locks) {
      l.sure();
      if (!l.token) l.look();
    }
    if (online) this.#beatAgain = this.#beating !== null;
    if (online || performance.now() - this.#lastBeat > 2000) this.beat();
  }

  #lookLater() {
    this.#lookTimer = setTimeout(() => {
      if (!document.hidden) for (const l of this.#locks) if (!l.token && l.state !== 'closed') l.look();
      if (!this.#closed.signal.aborted) this.#lookLater();
    }, jitter(lookEvery));
  }
}
