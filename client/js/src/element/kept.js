// Text that was typed and not saved: kept in the browser, per person and
// object, until it is saved or thrown away.

import { keep, short, stored } from './shelf.js';

/** @import { Text } from './shelf.js' */

/** @param {string} text servers trim, and end lines in their own way */
const plain = (text) => text.replace(/\r\n?/g, '\n').trim();

/** Fires "change" when the text left behind, or whether it is stored, is another. */
export class Kept extends EventTarget {
  #key;
  /** @type {{draft: Text | null, left: Text | null}} what this page typed, and what was left behind */
  #texts = { draft: null, left: null };
  /** @type {{draft: boolean | null, left: boolean | null}} whether they are stored; null: not known yet */
  #safe = { draft: null, left: null };
  /** @type {Map<string, Promise<void>>} the writes under way */
  #writes = new Map();
  /** @type {Record<string, string> | null} the form that was compared last */
  #form = null;
  /** @type {BroadcastChannel | undefined} */
  #others;

  /** @param {string} key of the person and the object */
  constructor(key) {
    super();
    this.#key = `editlock/${key}`;
    this.#found(short(`${this.#key}/left`));
    this.#read();
    try {
      this.#others = new BroadcastChannel(this.#key);
      this.#others.onmessage = () => this.#read();
    } catch { /* there is nothing to share */ }
  }

  /** written waits until all is stored that can be. */
  written() { return Promise.all(this.#writes.values()); }

  async stop() {
    await this.written();
    this.#others?.close();
    this.#others = undefined;
  }

  /** @returns {Text | null} the text left behind */
  get left() { return this.#texts.left; }

  /** Whether the text left behind is stored in this browser; null: not known yet. */
  get safe() { return this.#safe.left; }

  /** Whether what is being typed cannot be stored in this browser. */
  get unsafe() { return this.#texts.draft !== null && this.#safe.draft === false; }

  /**
   * draft remembers the fields being typed.
   * @param {Record<string, string>} fields
   */
  draft(fields) {
    this.#form = null;
    this.#put('draft', Object.keys(fields).length ? { at: new Date().toISOString(), fields } : null);
  }

  /**
   * leave makes the draft a text left behind, that of a page which is gone,
   * too; a field left twice keeps the newer text. To be called only while no
   * page of this person is typing.
   */
  leave() {
    const own = this.#texts.draft ?? short(`${this.#key}/draft`);
    if (own) this.#move(own);
    else stored(`${this.#key}/draft`).then((text) => { if (text && !this.#texts.draft) this.#move(text); });
    return own !== null;
  }

  // The draft stays where it is until the text left behind is stored.
  /** @param {Text} draft */
  async #move(draft) {
    const { left } = this;
    this.#texts.draft = null;
    const written = this.#put('left', { ...draft, fields: { ...left?.fields, ...draft.fields } });
    if (this.#form) this.compare(this.#form);
    this.#changed();
    await written;
    if (this.#safe.left !== false && !this.#texts.draft) await this.#put('draft', null);
  }

  /**
   * compare throws away what the form says too: it was saved after all.
   * @param {Record<string, string>} fields
   */
  compare(fields) {
    this.#form = fields;
    const { left } = this;
    if (!left) return;
    const other = Object.entries(left.fields).filter(([name, value]) => plain(fields[name] ?? '') !== plain(value));
    if (other.length < Object.keys(left.fields).length) this.#leave(other.length ? { ...left, fields: Object.fromEntries(other) } : null);
  }

  discard() { this.#leave(null); }

  /** @param {Text | null} text */
  #leave(text) {
    this.#put('left', text);
    this.#changed();
  }

  #changed() { this.dispatchEvent(new Event('change')); }

  async #read() {
    const text = await stored(`${this.#key}/left`);
    if (this.#writes.has('left')) return;
    this.#found(text);
    if (this.#form) this.compare(this.#form);
    this.#changed();
  }

  /** @param {Text | null} text */
  #found(text) {
    if (!text && this.#safe.left === false) return; // it is kept here only
    this.#texts.left = text;
    this.#safe.left = text && true;
  }

  // Of many changes during one write only the last one is written.
  /**
   * @param {'draft' | 'left'} part
   * @param {Text | null} text
   */
  #put(part, text) {
    this.#texts[part] = text;
    const under = this.#writes.get(part);
    if (under) return under;
    const write = this.#write(part).finally(() => this.#writes.delete(part));
    this.#writes.set(part, write);
    return write;
  }

  /** @param {'draft' | 'left'} part */
  async #write(part) {
    for (let text; text !== this.#texts[part] || text === undefined;) {
      text = this.#texts[part];
      if (part === 'left') this.#safe.left = null;
      const before = this.#safe[part];
      this.#safe[part] = await keep(`${this.#key}/${part}`, text);
      if (this.#safe[part] !== before) this.#changed();
    }
    if (part === 'left') this.#others?.postMessage('');
  }
}
