// How one tab asks for a mutex and gives it back: the calls, without what they
// mean for the page.

import { EditlockError } from './api.js';
import { newID, tabID } from './tab.js';

/** @import { Editlock } from './client.js' */
/** @import { Mutex, MutexID, Owner } from './types.js' */

export class Claim {
  #client;
  #mutex;
  #terms;
  #share;
  #tab = '';
  #request = '';

  /**
   * @param {Editlock} client
   * @param {MutexID} mutex
   * @param {{auto_release: object, grant_after?: string}} terms as calls state them
   * @param {{sharing?: string, limit?: number}} share who may hold it too, as captures state it
   */
  constructor(client, mutex, terms, share) {
    this.#client = client;
    this.#mutex = mutex;
    this.#terms = terms;
    this.#share = share;
  }

  /** Names the present asking. It is kept with the lock as its status data: so a late release of one page never frees the lock of the next. */
  get request() { return this.#request; }

  /** begin is a new asking. */
  async begin() {
    this.#tab = await tabID();
    return this.#request = `${this.#tab}/${newID()}`;
  }

  /** What every call that asks for the mutex states. */
  get body() { return { mutex: this.#mutex, owner: this.#client.owner, status_data: this.#request, ...this.#terms }; }

  /** What a capture states: a takeover keeps the sharing of the hold in whose place it is. */
  get capture() { return { ...this.body, ...this.#share, if: { free: true } }; }

  /**
   * isMe tells the same person, in this browser or in another one. A session
   * belongs to a user: that of another user in it is not this reader's, nor is
   * an agent that acts with the reader's session or user.
   * @param {Owner} owner
   */
  isMe(owner) {
    const { owner: me, api } = this.#client, same = owner.session === me.session;
    if ((owner.kind ?? 'person') !== (me.kind ?? 'person')) return false;
    if (same && api.named) return true; // the server names the user
    return owner.user_id || me.user_id ? owner.user_id === me.user_id : same;
  }

  /** @param {Mutex} holder */
  #isOfTab(holder) { return holder.status_data.startsWith(`${this.#tab}/`); }

  /**
   * isTabs tells a hold of this person in this tab.
   * @param {Mutex} holder
   */
  isTabs(holder) { return this.isMe(holder.owner) && this.#isOfTab(holder); }

  /**
   * take captures the mutex, or takes up this tab's own hold.
   * @param {() => boolean} wanted whether it still is
   * @returns {Promise<{mutex: Mutex, note: ''|'kept'}>}
   */
  async take(wanted) {
    const { api, owner } = this.#client;
    try {
      return { mutex: (await api.post('v1/capture', this.capture)).mutex, note: '' };
    } catch (e) {
      const holder = e instanceof EditlockError ? e.holder : null;
      if (!holder || !this.#isOfTab(holder) || !wanted()) throw e;
      if (!this.isMe(holder.owner)) {
        // Of who used this tab before. Their page is gone, and may have released it by now.
        await api.post('v1/release', { mutex: this.#mutex, owner: holder.owner, if: { token: holder.token } }).catch(() => { throw e; });
        return this.take(wanted);
      }
      // From before a reload or a new login. The refresh puts this request in the
      // place of the last one, and ends its grace time.
      const { mutex, auto_release, status_data } = this.body;
      const [result] = (await api.post('v1/refresh', {
        owner, items: [{ mutex, token: holder.token, status_data, auto_release }],
      })).results;
      // What came late of an earlier asking may have come in between.
      if (result.code === 'lost' && (!result.holder || this.isTabs(result.holder))) return this.take(wanted);
      if (result.code) throw new EditlockError(result, 409);
      return { mutex: result, note: 'kept' };
    }
  }

  /**
   * giveBack ends what an asking got.
   * @param {string} [request]
   * @returns {Promise<boolean>} false: there was nothing to give back
   */
  async giveBack(request = this.#request) {
    const { api, owner } = this.#client;
    try {
      const { released } = await api.post('v1/release', { mutex: this.#mutex, owner, if: { status_data: request } }, { keepalive: true });
      return released;
    } catch {
      return true; // it ends by itself
    }
  }

  /**
   * leave is giveBack from a page that goes away.
   * @param {string} grace
   */
  leave(grace) {
    const { api, owner } = this.#client;
    api.beacon('v1/release', { mutex: this.#mutex, owner, if: { status_data: this.#request }, grace });
  }

  /**
   * abandon gives up a place in the queue.
   * @param {string} key
   */
  abandon(key) {
    const { api, owner } = this.#client;
    api.beacon('v1/release', { mutex: this.#mutex, owner, if: { request: key } });
  }
}
