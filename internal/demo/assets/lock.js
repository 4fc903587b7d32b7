// The edit lock of one document in one tab: what the page may do, as a state
// that changes. It draws nothing.
//
//   opening   asking for the lock
//   mine      held; refreshed at a third of its idle time
//   checking  held as far as this page knows, but not for sure: hands off
//   other     somebody else holds it          self  so does another page of mine
//   waiting   in the queue                    free  nobody holds it
//   lost      it was mine                     error the server refused, or is away

import { Refused, Unreachable, after, beacon, newID, post } from './api.js';
import { isMe, me, sameMutex } from './me.js';

// grantAfter is this demo's policy: who asks with a message, and gets no
// answer, has the document after so long.
const grantAfter = '3m';
const waitFor = '1h';

// A page's request ID outlives it in sessionStorage only on the way to the
// next page of the same tab. So a reload finds its own old lock, while a
// duplicated tab, copied from a living page, is another tab.
const pageKey = 'editlock-demo-request';
const previous = sessionStorage.getItem(pageKey);
sessionStorage.removeItem(pageKey);

// Neither clock alone is safe: one may stand still while a computer sleeps,
// the other may be set.
const moment = () => ({ mono: performance.now(), wall: Date.now() });
const later = (at, ms) => ({ mono: at.mono + ms, wall: at.wall + ms });
const passed = (at) => performance.now() >= at.mono || Date.now() >= at.wall;

export class Lock extends EventTarget {
  state = 'opening';
  holder = null; // who has it, as far as is known; the server's form of a mutex
  note = ''; // why it is so, where that needs saying: granted, back, declined, timeout, changed
  answer = ''; // the message of a holder who declined
  loss = null; // of lost: how, by, at, reason
  problem = ''; // of error
  online = true;
  until = null; // of mine: when the server may free it, if it hears nothing

  #mutex;
  #idle;
  #unchanged;
  #request = newID();
  #token = 0;
  #deadline = null;
  #timers = [];
  #beating = null;
  #wait = null;

  // unchanged tells, after a break, whether the page still shows the newest
  // text.
  constructor({ mutex, idle, unchanged }) {
    super();
    this.#mutex = mutex;
    this.#idle = idle;
    this.#unchanged = unchanged;
    addEventListener('pagehide', () => this.#leave());
    addEventListener('pageshow', (e) => e.persisted && location.reload());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.check());
    addEventListener('online', () => (this.state === 'error' ? this.open() : this.check()));
  }

  get token() { return this.#token; }

  // place is this browser's number in the queue, 0 if that is not known.
  get place() { return (this.holder?.waiters ?? []).findIndex((w) => w.owner.session === me.session) + 1; }

  // open asks for the lock.
  async open() {
    this.#set({ state: 'opening', loss: null });
    const sent = moment();
    try {
      this.#held(await this.#capture(), sent);
    } catch (e) {
      this.#refused(e);
    }
  }

  async #capture() {
    try {
      return (await post('/v1/capture', { ...this.#terms(), if: { free: true } })).mutex;
    } catch (e) {
      const holder = e instanceof Refused && e.problem.holder;
      if (!holder || !previous || holder.owner.session !== me.session || holder.status_data !== previous) throw e;
      // This tab's page from before a reload, whose release is under way:
      // with the new request ID in its place, that release will do nothing.
      return (await post('/v1/capture', { ...this.#terms(), if: { status_data: previous } })).mutex;
    }
  }

  #terms() {
    return {
      mutex: this.#mutex, owner: me, status_data: this.#request,
      auto_release: { idle: this.#idle }, grant_after: grantAfter,
    };
  }

  // wait queues until the lock is this page's, the holder declines, or stop.
  async wait(message) {
    const stop = this.#wait = new AbortController();
    const key = newID();
    this.#set({ state: 'waiting', note: '', answer: '' });
    while (!stop.signal.aborted) {
      try {
        const { mutex } = await post('/v1/capture', { ...this.#terms(), if: { free: true }, wait: waitFor, message },
          { signal: stop.signal, headers: { 'Idempotency-Key': key } });
        this.#token = mutex.token;
        this.#set({ state: 'checking', note: 'granted', holder: mutex });
        return this.check(); // a grant is short until it is taken up
      } catch (e) {
        if (stop.signal.aborted) return;
        if (!(e instanceof Unreachable)) return this.#refused(e, e.problem.declined ? 'declined' : 'timeout');
        await after(1000); // with the same key it is the same place
      }
    }
  }

  stopWaiting() {
    this.#wait?.abort();
    this.#set({ state: this.holder ? this.#kindOf(this.holder) : 'free', note: '' });
  }

  async takeOver(reason) {
    const sent = moment();
    try {
      const { mutex } = await post('/v1/takeover', { ...this.#terms(), seen_token: this.holder.token, reason });
      this.#wait?.abort();
      this.#held(mutex, sent);
    } catch (e) {
      if (this.#holds() || this.state === 'waiting') return; // the place in the queue stays
      if (e.code === 'lost') return this.open(); // free by now
      this.#refused(e, 'changed');
    }
  }

  // handOver gives the lock to the first who waits.
  async handOver() {
    const to = this.holder.waiters[0]?.owner;
    try {
      const { handed_over: passed } = await post('/v1/hand-over', { mutex: this.#mutex, owner: me });
      if (passed && this.#holds()) this.#lose({ how: 'handed_over', by: me, to });
    } catch {
      this.check(); // lost by now, or away: the beat says which
    }
  }

  async decline(waiter, message) {
    try {
      await post('/v1/decline', { mutex: this.#mutex, owner: me, waiter, message });
    } catch {
      this.check();
    }
  }

  // seen takes a newer picture of who holds it; null is nobody.
  seen(mutex) {
    switch (this.state) {
      case 'mine':
        if (mutex?.token === this.#token) this.#set({ holder: mutex });
        else this.check();
        break;
      case 'other': case 'self': case 'free':
        if (mutex) this.#set({ state: this.#kindOf(mutex), holder: mutex });
        else this.#set({ state: 'free', holder: null, note: '' });
        break;
      case 'waiting': case 'lost':
        this.#set({ holder: mutex });
        break;
      case 'error':
        this.open();
    }
  }

  // heard takes an event. A takeover is believed at once, before any call
  // could confirm it.
  heard(entry) {
    if (!this.#holds() || !entry.mutex || !sameMutex(entry.mutex, this.#mutex)) return;
    if (entry.kind === 'taken_over' && entry.token > this.#token) {
      this.#lose({ how: 'taken_over', by: entry.actor, at: entry.at, reason: entry.reason });
    } else if (['released', 'expired', 'force_released', 'handed_over'].includes(entry.kind)) {
      this.check();
    }
  }

  // sure is asked before each keystroke: false once the lock may have been
  // given away, though no timer has fired (after a sleep, for example).
  sure() {
    if (this.state === 'mine' && passed(this.#deadline)) {
      this.#set({ state: 'checking' });
      this.check();
    }
    return this.state === 'mine';
  }

  // check refreshes the lock, or learns that it is lost.
  check() {
    if (!this.#holds()) return Promise.resolve();
    this.#beating ??= this.#beat().finally(() => { this.#beating = null; });
    return this.#beating;
  }

  async #beat() {
    this.#stopTimers();
    const sent = moment(), token = this.#token;
    let result;
    try {
      [result] = (await post('/v1/refresh', { owner: me, items: [{ mutex: this.#mutex, token }] })).results;
      if (result.code === 'unavailable' || result.code === 'internal') throw new Unreachable(result.detail);
    } catch (e) {
      if (!this.#holds() || token !== this.#token) return;
      if (e instanceof Refused) return this.#refused(e);
      this.#set({ online: false, state: this.state === 'mine' && !passed(this.#deadline) ? 'mine' : 'checking' });
      this.#timers = [setTimeout(() => this.check(), 1000 + 1000 * Math.random())];
      return;
    }
    if (!this.#holds() || token !== this.#token) return;
    if (result.code) this.ended(result);
    else this.#held(result, sent, this.state === 'mine' ? '' : this.note);
  }

  // ended takes a 'lost' problem. What merely expired, while nobody changed
  // the text, is taken up again as if nothing had been.
  async ended(problem) {
    const loss = { how: problem.how || 'expired', by: problem.by, at: problem.at, reason: problem.reason };
    if (problem.holder || loss.how !== 'expired') return this.#lose(loss, problem.holder);
    const sent = moment();
    this.#token = 0;
    this.#set({ state: 'checking' });
    try {
      const mutex = (await post('/v1/capture', { ...this.#terms(), if: { free: true } })).mutex;
      if (await this.#unchanged()) return this.#held(mutex, sent, 'back');
      await post('/v1/release', { mutex: this.#mutex, owner: me, if: { token: mutex.token } });
      this.#lose(loss);
    } catch (e) {
      this.#lose(loss, e.problem?.holder);
    }
  }

  #holds() { return this.#token !== 0; }

  #held(mutex, sent, note = '') {
    this.#stopTimers();
    const left = mutex.expires_in_s * 1000;
    this.#token = mutex.token;
    this.#deadline = later(sent, left);
    const jitter = 0.9 + 0.2 * Math.random();
    this.#timers = [
      setTimeout(() => this.check(), left / 3 * jitter),
      setTimeout(() => this.sure(), left - (performance.now() - sent.mono)),
    ];
    this.#set({
      state: 'mine', holder: mutex, loss: null, online: true, until: new Date(this.#deadline.wall),
      note,
    });
  }

  #lose(loss, holder = null) {
    this.#stopTimers();
    this.#token = 0;
    this.#set({ state: 'lost', loss, holder, online: true, note: '' });
  }

  #refused(e, note = '') {
    this.#stopTimers();
    this.#token = 0;
    const holder = e.problem?.holder;
    if (holder) {
      this.#set({ state: this.#kindOf(holder), holder, note, answer: e.problem.declined?.message ?? '', online: true });
    } else {
      this.#set({ state: 'error', online: !(e instanceof Unreachable), problem: e.message });
    }
  }

  #kindOf(mutex) { return isMe(mutex.owner) ? 'self' : 'other'; }

  #leave() {
    this.#stopTimers();
    this.#wait?.abort();
    if (!this.#holds() && this.state !== 'opening' && this.state !== 'waiting') return;
    sessionStorage.setItem(pageKey, this.#request);
    // By request ID: whatever this page holds, or is just being given.
    beacon('/v1/release', { mutex: this.#mutex, owner: me, if: { status_data: this.#request } });
  }

  #stopTimers() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }

  #set(change) {
    Object.assign(this, change);
    this.dispatchEvent(new Event('change'));
  }
}
