// The edit lock of one object in one tab: what the page may do, as a state
// that changes. It draws nothing.

import { duration, later, left, moment } from './clock.js';
import { EditlockError } from './api.js';
import { Claim } from './claim.js';
import { ends, untouched } from './history.js';
import { inQueue } from './queue.js';

/** @import { Entry, Loss, Mutex, MutexID, Named, Owner, Problem, State, Terms } from './types.js' */
/** @import { Editlock } from './client.js' */
/** @import { Moment } from './clock.js' */

/** How often a held lock is refreshed at most, and another's looked at, in ms. */
const beat = 20_000;
/** The same while somebody waits: leaving a queue is no event. */
const beatInQueue = 10_000;
/** Fires "change" after each change of its properties. */
export class Lock extends EventTarget {
  /** @type {State} */
  state = 'closed';
  /** @type {Mutex | null} who has it, as far as is known; of several this session, or else the first */
  holder = null;
  /** @type {Mutex[]} all who have it, as far as is known, the first 20; holder.beside counts the others */
  holders = [];
  /** @type {''|'granted'|'back'|'kept'|'declined'|'timeout'|'changed'|'forbidden'} why the state is so, where that needs saying */
  note = '';
  /** What a holder said who declined. */
  answer = '';
  /** @type {Loss | null} of lost */
  loss = null;
  /** @type {EditlockError | null} of error */
  problem = null;
  online = true;
  /** Not online because the server limits this caller's requests. */
  limited = false;
  /** @type {Date | null} of mine: when the server frees it if it hears nothing; null: never */
  until = null;
  /** When something was last heard of what others hold above or below it, of performance.now(). */
  around = -1;
  /** @type {Date | null} of mine: when this page gives it back unless somebody types; null: not soon */
  inactiveAt = null;

  #client;
  #claim;
  #unchanged;
  #token = 0;
  /** Counts up with each open and release, so that late answers are known. */
  #turn = 0;
  /** @type {Moment | null} */
  #deadline = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {AbortController | null} */
  #wait = null;
  #looking = false;
  #lookAgain = false;
  /** @type {Set<string>} places in the queue that this page has left */
  #left = new Set();
  #blind = -1; // the turn in which looking was forbidden
  /** @type {(() => void) | null} */
  #unwatch = null;

  /**
   * Made by Editlock.lock.
   * @param {Editlock} client
   * @param {MutexID} mutex
   * @param {Terms} terms
   */
  constructor(client, mutex, { idle = '300s', maxHold, grantAfter, sharing, limit, inactiveAfter = '15m', unchanged = () => true }) {
    super();
    this.#client = client;
    const { group = '', mode = '', id, part } = mutex;
    this.mutex = { group, mode, id, ...part && { part } };
    this.#claim = new Claim(client, this.mutex, { auto_release: idle === 'never' ? { never: true } : { idle, max_hold: maxHold }, grant_after: grantAfter }, { sharing, limit });
    this.#unchanged = unchanged;
    /** In milliseconds; Infinity: never. */
    this.inactiveAfter = duration(inactiveAfter);
    this.#idle = duration(idle);
  }
  #idle;

  /** The fencing token; 0 while the lock is not this page's. */
  get token() { return this.#token; }

  /** What a save must carry, so that the server can refuse it once the lock is lost. */
  get headers() { return /** @type {Record<string, string>} */ (this.#token ? { 'Editlock-Token': String(this.#token) } : {}); }

  /** This browser's number in the queue; 0: not known. */
  get place() { return (this.holder?.waiters ?? []).findIndex((w) => this.#isSession(w.owner)) + 1; }

  /** @param {Owner} owner */
  #isSession(owner) { return owner.session === this.#client.owner.session; }

  /** How often to ask the server about it, in ms. */
  get every() { return Math.min(this.holder?.waiting || this.holder?.draining ? beatInQueue : beat, this.#idle / 3); }

  /**
   * names tells whether a holder's mutex is this one; else it is above or below.
   * @param {Named} mutex
   */
  names({ id, part }) { return id === this.mutex.id && part === this.mutex.part; }

  /** @param {Owner} owner the same person, in this browser or in another one */
  isMe(owner) { return this.#claim.isMe(owner); }

  /** open asks for the lock. A reload finds its tab's own one again. */
  open() {
    const turn = ++this.#turn;
    return this.#client.inTurn(this.mutex, () => this.#open(turn));
  }

  /** @param {number} turn */
  async #open(turn) {
    if (turn !== this.#turn) return;
    const request = await this.#begin();
    if (turn !== this.#turn) return;
    this.#set({ state: 'opening', loss: null, problem: null, note: '' });
    const sent = moment();
    try {
      const { mutex, note } = await this.#take(turn);
      if (turn !== this.#turn) { await this.#claim.giveBack(request); return; } // released meanwhile
      this.#held(mutex, sent, note);
    } catch (e) {
      if (turn === this.#turn) this.#refused(e);
    }
  }

  async #begin() {
    const turn = this.#turn, request = await this.#claim.begin();
    if (turn === this.#turn) this.#unwatch ??= this.#client.join(this, (entry) => this.#heard(entry)); // else released meanwhile
    return request;
  }

  /** @param {number} turn */
  #take(turn) { return this.#claim.take(() => turn === this.#turn); }

  /** Whether the server may have something for this page. */
  get #asked() { return this.#token || this.state === 'waiting' || this.state === 'opening'; }

  /**
   * release gives the lock back, or leaves the queue, for good.
   * @returns {Promise<boolean>} false: it was lost before, by what the server says
   */
  async release() {
    const mine = this.#token > 0, had = this.#asked;
    this.#turn++;
    this.#end();
    this.#unwatch?.();
    this.#unwatch = null;
    this.#set({ state: 'closed', note: '', loss: null });
    return (!had || await this.#claim.giveBack()) || !mine;
  }

  /**
   * leave is release from a page that goes away, perhaps only to be loaded
   * again: the lock is freed after a grace time, unless the next page refreshes it.
   * @param {string} grace
   */
  leave(grace) {
    const had = this.#asked;
    this.#turn++;
    this.#end();
    if (!had) return false;
    this.#claim.leave(grace);
    return true;
  }

  /**
   * wait queues until the lock is this page's, the holder declines, or stopWaiting.
   * @param {string} [message] asks the holder to hand over
   */
  async wait(message = '') {
    const { signal } = this.#wait = new AbortController();
    this.#turn++;
    this.#set({ state: 'waiting', note: '', answer: '' });
    await this.#begin();
    try {
      const mutex = await inQueue(this.#client, this.#claim, message, signal, {
        seen: (holder) => this.#set({ holder: holder ?? this.holder, online: true }),
        failed: (e) => this.#set({ online: e.code === 'lost', limited: e.code === 'limited' }),
      });
      if (!mutex) return;
      this.#token = mutex.token;
      this.#set({ state: 'checking', note: 'granted', holder: mutex, online: true });
      this.check(); // a grant is short until it is taken up
    } catch (e) {
      this.#refused(e, e instanceof EditlockError && e.problem.declined ? 'declined' : 'timeout');
    }
  }

  stopWaiting() {
    if (this.state !== 'waiting') return;
    this.#wait?.abort();
    this.#set({ state: this.holder ? this.#kindOf(this.holder) : 'free', note: '', online: true });
  }

  /**
   * takeOver takes the lock from a holder, who is told the reason. It is
   * refused, with the note "changed", if somebody else holds it by now. The
   * sharing or limit stays what it was.
   * @param {string} reason
   * @param {number} [seen] the token of the holder whom the reader saw; default: the last one heard of
   */
  async takeOver(reason, seen = this.holder?.token) {
    if (!seen) return;
    const before = this.state, sent = moment(), turn = this.#turn;
    if (before !== 'waiting') await this.#begin();
    try {
      const { mutex } = await this.#client.api.post('v1/takeover', { ...this.#claim.body, seen_token: seen, reason });
      if (turn !== this.#turn) { await this.#claim.giveBack(); return; }
      // Who took it over waits no more, though the answer is from before that.
      if (before === 'waiting') for (const w of mutex.waiters) if (this.#isSession(w.owner)) this.#left.add(w.id);
      this.#wait?.abort();
      this.#held(mutex, sent);
    } catch (e) {
      if (this.#token || this.state !== before) return;
      if (e instanceof EditlockError && e.temporary) return this.#set({ online: false, limited: e.code === 'limited' });
      if (before === 'waiting') return; // the place in the queue stays
      const { code } = /** @type {EditlockError} */ (e);
      if (code === 'not_held') return this.open(); // free by now
      if (code === 'forbidden') return this.#set({ note: 'forbidden' });
      this.#refused(e, 'changed');
    }
  }

  /** handOver gives the lock to the first who waits. */
  async handOver() {
    const to = this.holder?.waiters[0]?.owner, { api, owner } = this.#client;
    try {
      const { handed_over: passed } = await api.post('v1/hand-over', { mutex: this.mutex, owner });
      if (passed && this.#token) this.#lose({ how: 'handed_over', by: owner, to });
    } catch {
      this.check(); // lost by now, or away: the beat says which
    }
  }

  /**
   * decline sends a waiter away with an answer.
   * @param {string} waiter its id
   * @param {string} [message]
   */
  async decline(waiter, message = '') {
    try {
      await this.#client.api.post('v1/decline', { mutex: this.mutex, owner: this.#client.owner, waiter, message });
    } catch {
      this.check();
    }
  }

  /** peek looks who holds it, and goes on looking, without asking for it. */
  async peek() {
    const turn = ++this.#turn;
    await this.#begin();
    if (turn !== this.#turn) return;
    this.#set({ state: 'free', holder: null, note: '', loss: null, problem: null });
    await this.look();
  }

  /**
   * look asks who holds it now. Calls during a look share one more. Where that
   * is forbidden, nothing is asked until the reader does.
   */
  async look() {
    this.#lookAgain = true;
    if (this.#looking || this.#blind === this.#turn) return;
    this.#looking = true;
    while (this.#lookAgain) {
      this.#lookAgain = false;
      const turn = this.#turn;
      try {
        const { mutex, holders } = await this.#client.api.post('v1/request', { mutex: this.mutex, owner: this.#client.owner });
        if (turn === this.#turn) this.#seen(mutex, holders);
      } catch (e) {
        if (e instanceof EditlockError && e.code === 'forbidden') this.#blind = turn;
        if (e instanceof EditlockError && e.temporary && this.state !== 'mine') this.#set({ online: false, limited: e.code === 'limited' });
      }
    }
    this.#looking = false;
  }

  /**
   * @param {Mutex | null} mutex null: nobody holds it
   * @param {Mutex[]} [holders] where several do
   */
  #seen(mutex, holders) {
    switch (this.state) {
      case 'mine':
        if (mutex?.token !== this.#token) return this.check();
        this.#set({ holder: mutex, holders });
        this.#client.schedule();
        break;
      case 'other': case 'self': case 'free':
        if (mutex) this.#set({ state: this.#kindOf(mutex), holder: mutex, holders, online: true });
        else this.#set({ state: 'free', holder: null, note: '', online: true });
        break;
      case 'waiting': case 'lost':
        this.#set({ holder: mutex, holders, online: true });
        break;
      case 'error':
        if (this.problem?.temporary) this.open();
    }
  }

  // A takeover is believed at once, before any call could confirm it: of a
  // shared lock, if it is in the place of this hold.
  /** @param {Entry} [entry] */
  #heard(entry) {
    /** @type {any} */
    const mine = this.mutex, its = entry?.mutex ?? mine;
    if (Object.keys(its).some((k) => its[k] && mine[k] && its[k] !== mine[k])) return;
    if (!this.names(its)) {
      this.around = performance.now();
      if (this.#token) return this.check(); // it keeps others out, not this page, which may be told of it
    }
    if (!entry || !this.#token) {
      this.look();
    } else if (entry.kind === 'taken_over' && (entry.sharing === 'shared' || entry.limit ? entry.replaced === this.#token : entry.token > this.#token)) {
      this.#lose({ how: 'taken_over', by: entry.actor, at: entry.at, reason: entry.reason });
      this.look();
    } else if (ends.includes(entry.kind)) {
      this.check();
      if (this.holder?.beside) this.look();
    } else if (entry.kind !== 'captured' || entry.token !== this.#token) {
      this.look();
    }
  }

  /**
   * sure is asked before each keystroke: false once the lock may have been
   * given away, though no timer has fired (after a sleep, for example).
   */
  sure() {
    if (this.state === 'mine' && this.#deadline && left(this.#deadline) <= 0) {
      this.#set({ state: 'checking' });
      this.check();
    }
    return this.state === 'mine';
  }

  /** check refreshes the lock now, or learns that it is lost. */
  check() { if (this.#token) this.#client.beat(this); }

  /**
   * beaten takes the answer to a refresh that was sent with a token.
   * @param {(Mutex & {code?: undefined}) | (Problem & {token?: undefined})} result
   * @param {Moment} sent
   * @param {number} token
   */
  beaten(result, sent, token) {
    if (!this.#token || token !== this.#token) return;
    if (!result.code) this.#held(/** @type {Mutex} */ (result), sent, this.state === 'mine' ? '' : this.note);
    else if (result.code === 'lost') this.ended(/** @type {Problem} */ (result));
    else this.missed(new EditlockError(/** @type {Problem} */ (result)));
  }

  /**
   * missed takes the failure of a refresh.
   * @param {EditlockError} e
   */
  missed(e) {
    if (!this.#token) return;
    if (!e.temporary && !['unavailable', 'internal'].includes(e.code)) return this.#refused(e);
    const sure = this.state === 'mine' && this.#deadline && left(this.#deadline) > 0;
    this.#set({ online: false, limited: e.code === 'limited', state: sure ? 'mine' : 'checking' });
  }

  /**
   * ended takes a "lost" problem, from the beat or from a save that was
   * refused. What merely expired, while nobody held it and the text is still
   * the newest, is taken up again as if nothing had been.
   * @param {Problem} problem
   */
  async ended(problem) {
    const was = this.#token, turn = this.#turn;
    const loss = { how: problem.how || 'expired', by: problem.by, at: problem.at, reason: problem.reason };
    const another = problem.holder && !this.#claim.isTabs(problem.holder);
    if (!was || another || loss.how !== 'expired') return this.#lose(loss, problem.holder);
    const sent = moment();
    this.#token = 0;
    this.#set({ state: 'checking' });
    try {
      const { mutex } = await this.#take(turn);
      const same = await untouched(this.#client.api, this.mutex, was, mutex.token) && await this.#unchanged();
      if (turn !== this.#turn) { await this.#claim.giveBack(); return; }
      if (same) return this.#held(mutex, sent, 'back');
      await this.#claim.giveBack();
      this.#lose(loss);
    } catch (e) {
      if (turn !== this.#turn) return;
      if (e instanceof EditlockError && !e.temporary) return this.#lose(loss, e.holder);
      this.#token = was; // not known yet: the next beat asks again
      this.missed(new EditlockError({ code: 'unreachable' }));
      this.#client.schedule();
    }
  }

  /** retire gives the lock back because nobody has typed for so long. */
  retire() {
    this.#lose({ how: 'inactive' });
    this.#claim.giveBack();
  }

  /** @param {Date | null} at */
  warn(at) {
    if (this.inactiveAt?.getTime() !== at?.getTime()) this.#set({ inactiveAt: at });
  }

  /**
   * @param {Mutex} mutex
   * @param {Moment} sent before which its time began to run
   * @param {Lock['note']} [note]
   */
  #held(mutex, sent, note = '') {
    const lasts = (mutex.expires_in_s ?? Infinity) * 1000;
    const begins = this.state !== 'mine' && note !== 'back';
    this.#token = mutex.token;
    this.#deadline = later(sent, lasts);
    clearTimeout(this.#timer);
    if (lasts < 2 ** 31) this.#timer = setTimeout(() => this.sure(), left(this.#deadline));
    this.#set({
      state: 'mine', holder: mutex, loss: null, problem: null, online: true, note,
      until: lasts === Infinity ? null : new Date(this.#deadline.wall),
      holders: mutex.beside ? this.holders : undefined,
    });
    if ((mutex.beside ?? 0) + 1 !== this.holders.length) this.look();
    this.#client.reached(begins);
  }

  /**
   * @param {Loss} loss
   * @param {Mutex | null} [holder]
   */
  #lose(loss, holder = null) {
    this.#end();
    this.#set({ state: 'lost', loss, holder, online: true, note: '' });
  }

  /**
   * @param {unknown} e
   * @param {Lock['note']} [note]
   */
  #refused(e, note = '') {
    if (!(e instanceof EditlockError)) throw e;
    this.#end();
    const { holder } = e;
    if (holder && e.code !== 'conflict') {
      this.#set({ state: this.#kindOf(holder), holder, holders: e.problem.holders, note, answer: e.problem.declined?.message ?? '', online: true });
    } else {
      this.#client.limited(e);
      this.#set({ state: 'error', holder: null, online: !e.temporary, limited: e.code === 'limited', problem: e });
      this.#client.schedule();
    }
  }

  #end() {
    clearTimeout(this.#timer);
    this.#wait?.abort();
    this.#token = 0;
    this.#deadline = null;
    this.inactiveAt = null;
  }

  /**
   * @param {Mutex} mutex
   * @returns {State}
   */
  #kindOf(mutex) { return this.isMe(mutex.owner) ? 'self' : 'other'; }

  /** @param {Partial<Lock>} change */
  #set(change) {
    if (change.holder && this.#left.size) {
      const { waiters, waiting } = change.holder, still = waiters.filter((w) => !this.#left.has(w.id));
      change.holder = { ...change.holder, waiters: still, waiting: waiting - waiters.length + still.length };
    }
    if (change.holder !== undefined) change.holders ??= change.holder ? [change.holder] : [];
    Object.assign(this, change);
    if (change.holder) {
      this.#client.tick(change.holder.as_of);
      if (!this.names(change.holder.mutex)) this.around = performance.now();
    }
    this.dispatchEvent(new Event('change'));
  }
}
