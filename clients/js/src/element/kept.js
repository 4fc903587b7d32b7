// Text that was typed and not saved: kept in the browser, per person and
// object, until it is saved or thrown away.

import { local } from '../tab.js';

/** @typedef {{at: string, fields: Record<string, string>}} Text */

/** @param {string} text servers trim, and end lines in their own way */
const plain = (text) => text.replace(/\r\n?/g, '\n').trim();

/** Fires "change" when the text left behind is another. */
export class Kept extends EventTarget {
  #key;
  /** @type {Map<string, Text>} what could not be stored */
  #memory = new Map();
  #onStorage = (/** @type {StorageEvent} */ e) => {
    if (e.key === `${this.#key}/left`) this.dispatchEvent(new Event('change'));
  };

  /** @param {string} key of the person and the object */
  constructor(key) {
    super();
    this.#key = `editlock/${key}`;
    addEventListener('storage', this.#onStorage);
  }

  stop() { removeEventListener('storage', this.#onStorage); }

  /**
   * draft remembers the fields being typed.
   * @param {Record<string, string>} fields
   */
  draft(fields) { this.#write('draft', Object.keys(fields).length ? { at: new Date().toISOString(), fields } : null); }

  /**
   * leave makes the draft a text left behind; a field left twice keeps the
   * newer text. To be called only while no page of this person is typing.
   */
  leave() {
    const draft = this.#read('draft');
    if (!draft) return false;
    this.#write('left', { ...draft, fields: { ...this.left?.fields, ...draft.fields } });
    this.#write('draft', null);
    this.dispatchEvent(new Event('change'));
    return true;
  }

  /** @returns {Text | null} the text left behind */
  get left() { return this.#read('left'); }

  /**
   * compare throws away what the form says too: it was saved after all.
   * @param {Record<string, string>} fields
   */
  compare(fields) {
    const { left } = this;
    if (!left) return;
    const other = Object.entries(left.fields).filter(([name, value]) => plain(fields[name] ?? '') !== plain(value));
    if (other.length < Object.keys(left.fields).length) this.#leave(other.length ? { ...left, fields: Object.fromEntries(other) } : null);
  }

  discard() { this.#leave(null); }

  /** @param {Text | null} text */
  #leave(text) {
    this.#write('left', text);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {string} part */
  #read(part) {
    try {
      return this.#memory.get(part) ?? /** @type {Text | null} */ (JSON.parse(local.get(`${this.#key}/${part}`) ?? 'null'));
    } catch {
      return null;
    }
  }

  /**
   * @param {string} part
   * @param {Text | null} text
   */
  #write(part, text) {
    this.#memory.delete(part);
    if (!local.set(`${this.#key}/${part}`, text && JSON.stringify(text)) && text) this.#memory.set(part, text);
  }
}
