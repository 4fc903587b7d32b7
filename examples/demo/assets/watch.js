// What is held in the whole office, kept up to date by the server's events.

import { get, Refused } from './api.js';
import { client, lockGroup } from './me.js';

// Events can be lost with a connection; a look now and then finds what they
// told of, and what is no event, such as somebody's leaving a queue.
const lookEvery = 10_000;

// Watch fires 'change' when it has a new picture in mutexes, or online has
// changed.
export class Watch extends EventTarget {
  mutexes = [];
  online = true;
  #looking = null;
  #again = false;

  start() {
    client.watch({ group: lockGroup }, () => this.look());
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
        this.mutexes = (await get(`v1/mutexes?group=${encodeURIComponent(lockGroup)}`)).mutexes;
        this.online = true;
        if (this.mutexes.length) client.tick(this.mutexes[0].as_of);
      } catch (e) {
        if (e instanceof Refused) throw e;
        this.online = false;
      }
      this.dispatchEvent(new Event('change'));
    }
  }
}
