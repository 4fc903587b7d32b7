// What is held in the whole office, kept up to date by the server's events.

import { get, after, Refused } from './api.js';
import { lockGroup } from './me.js';

const kinds = ['captured', 'released', 'expired', 'taken_over', 'force_released', 'handed_over', 'waiting', 'declined', 'gap'];

// Events can be lost with a connection; a look now and then finds what they
// told of, and what is no event, such as somebody's leaving a queue.
const lookEvery = 10_000;

// Watch fires 'entry' for each event, with the history entry in detail, and
// 'change' when it has a new picture in mutexes, or online has changed.
export class Watch extends EventTarget {
  mutexes = [];
  online = true;
  #looking = null;
  #again = false;
  #channel = new BroadcastChannel('editlock-demo');

  start() {
    this.#channel.onmessage = ({ data }) => this.#heard(data);
    this.#lead();
    setInterval(() => document.visibilityState === 'visible' && this.look(), lookEvery);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.look());
    addEventListener('online', () => this.look());
    return this.look();
  }

  // look asks what is held now. Calls during a look share one more.
  look() {
    this.#again = true;
    this.#looking ??= this.#lookUntilDone().finally(() => { this.#looking = null; });
    return this.#looking;
  }

  async #lookUntilDone() {
    while (this.#again) {
      this.#again = false;
      try {
        this.mutexes = (await get(`/v1/mutexes?group=${encodeURIComponent(lockGroup)}`)).mutexes;
        this.online = true;
      } catch (e) {
        if (e instanceof Refused) throw e;
        this.online = false;
      }
      this.dispatchEvent(new Event('change'));
    }
  }

  // One tab of a browser listens for all: browsers open few connections to a
  // server, and a stream keeps one for itself. When that tab goes, the next
  // takes its place.
  async #lead() {
    if (!navigator.locks) return this.#listen();
    await navigator.locks.request('editlock-demo-events', () => this.#listen());
  }

  async #listen() {
    for (;;) {
      const stream = new EventSource(`/v1/events?group=${encodeURIComponent(lockGroup)}`);
      for (const kind of kinds) {
        stream.addEventListener(kind, ({ data }) => {
          const entry = JSON.parse(data);
          this.#channel.postMessage(entry);
          this.#heard(entry);
        });
      }
      stream.onopen = () => this.look();
      // The browser reconnects by itself unless the server refused.
      await new Promise((closed) => {
        stream.onerror = () => {
          this.look();
          if (stream.readyState === EventSource.CLOSED) closed();
        };
      });
      await after(2000);
    }
  }

  #heard(entry) {
    this.dispatchEvent(new CustomEvent('entry', { detail: entry }));
    this.look();
  }
}
