// Text that was typed and not saved: kept in the browser, per person and
// document, until it is saved or thrown away.

import { me } from './me.js';

// Kept fires 'change' when the text left behind is another.
export class Kept extends EventTarget {
  #draftKey;
  #leftKey;

  constructor(document) {
    super();
    this.#draftKey = `editlock-demo/${me.user_id}/${document}/draft`;
    this.#leftKey = `editlock-demo/${me.user_id}/${document}/left`;
    addEventListener('storage', (e) => e.key === this.#leftKey && this.dispatchEvent(new Event('change')));
  }

  // draft remembers the fields being typed: {version, at, fields}.
  draft(text) { this.#write(this.#draftKey, Object.keys(text.fields).length ? text : null); }

  // leave makes the draft a text left behind; a field left twice keeps the
  // newer text. To be called only while no page of this person is typing.
  leave() {
    const draft = this.#read(this.#draftKey);
    if (!draft) return;
    const older = this.left;
    this.#write(this.#leftKey, { ...draft, fields: { ...older?.fields, ...draft.fields } });
    this.#write(this.#draftKey, null);
    this.dispatchEvent(new Event('change'));
  }

  get left() { return this.#read(this.#leftKey); }

  discard() {
    this.#write(this.#leftKey, null);
    this.dispatchEvent(new Event('change'));
  }

  #read(key) { return JSON.parse(localStorage.getItem(key)); }

  #write(key, value) {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  }
}
