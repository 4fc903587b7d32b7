// Makes what an element wraps read-only, and writable again, without touching
// what the page itself has made read-only or disabled. Editors too, and those
// in frames.

import { areas, ignored, mayHave, sealed } from './areas.js';
import { called, isEditor, nameOf } from './fields.js';

/** @import { Area } from './areas.js' */
/** @import { Control } from './fields.js' */

const editable = 'input:not([type=hidden]), textarea, select, button, [contenteditable]:not([contenteditable=false])';
// What scripts make buttons of.
const controls = '[role=toolbar] *, [role=menubar] *, [role=button], [role=menuitem], [role=checkbox], [role=radio], [role=switch], [role=option], [role=combobox]';
const link = 'a[href]:not([href^="#"], [href^="javascript:"])';
const watched = ['disabled', 'readonly', 'contenteditable', 'inert'];
// Of these types an input can be read-only, and still be read and copied by
// keyboard; the others can only be disabled.
const texts = ['text', 'search', 'url', 'tel', 'email', 'password', 'date', 'month', 'week', 'time', 'datetime-local', 'number'];
const changing = ['beforeinput', 'paste', 'cut', 'drop', 'submit'];
// Keys and clicks may only move about, but scripts make changes of them.
const moving = ['keydown', 'keypress', 'pointerdown', 'mousedown', 'click', 'dblclick'];
const activity = ['keydown', 'pointerdown', 'input', 'wheel'];

/** @param {Element} e */
const canBeReadOnly = (e) => e.localName === 'textarea' || e.localName === 'input' && texts.includes(/** @type {Control} */ (e).type);

/** @param {Element} e */
const attributeOf = (e) => e.localName === 'iframe' ? 'inert' : canBeReadOnly(e) ? 'readonly' : 'disabled' in e ? 'disabled' : 'contenteditable';

/**
 * What the element is told.
 * @typedef {object} Tells
 * @property {() => boolean} may is asked before each change that the reader makes
 * @property {() => void} begins the reader may be about to change something
 * @property {() => void} typed the reader may have changed something
 * @property {() => void} active the reader did something in a frame, which the page does not hear
 */

export class Guard {
  #host;
  #tells;
  #writable = true;
  /** @type {Map<Element, string | null>} what the page had set, of all that is locked */
  #own = new Map();
  /** @type {WeakSet<Node>} where this guard listens */
  #known = new WeakSet();
  /** @type {Set<Document>} those that are edited as a whole, while they are locked */
  #designs = new Set();
  #observer;
  #stop = new AbortController();

  /**
   * @param {HTMLElement} host
   * @param {Tells} tells
   */
  constructor(host, tells) {
    this.#host = host;
    this.#tells = tells;
    this.#observer = new MutationObserver((records) => this.#changed(records));
  }

  start() {
    this.#stop = new AbortController();
    // A frame's document may come before its load, but is typed into only
    // after the focus went there.
    addEventListener('blur', () => this.#look(), { signal: this.#stop.signal });
    this.#look();
  }

  /** wake takes over from a page that keeps its form, or a fieldset, inert until somebody guards it. */
  wake() {
    for (const e of this.#host.querySelectorAll(':is(form, fieldset)[inert]')) e.removeAttribute('inert');
  }

  /** stop gives the page back as it would be without the element. */
  stop() {
    this.#writable = true;
    this.#quietly(() => this.#apply());
    this.#observer.disconnect();
    this.#stop.abort();
  }

  /** @param {boolean} writable */
  set(writable) {
    if (writable === this.#writable) return;
    this.#writable = writable;
    this.#look();
  }

  /** The fields whose text somebody would miss. */
  get fields() {
    const all = /** @type {Control[]} */ ([...areas(this.#host)].flatMap((area) => [
      ...area.querySelectorAll('input, textarea, select, [contenteditable]'), ...'designMode' in area && this.#isDesigned(area) ? [area.body] : [],
    ]));
    return called(all.filter((e) => !e.matches(ignored) && (!isEditor(e) || this.#isWhole(e))), this.#host)
      .filter((e) => nameOf(e) && !['hidden', 'password', 'file', 'submit', 'button', 'reset', 'image'].includes(e.type));
  }

  /** @param {Document} page */
  #isDesigned(page) { return page.designMode === 'on' || this.#designs.has(page); }

  /** @param {Element} e */
  #isWhole(e) {
    const own = this.#own.get(e) ?? e.getAttribute('contenteditable');
    return own !== 'false' && !e.parentElement?.closest('[contenteditable]');
  }

  // All of it may be done again to what it was done to before: a document that
  // is written again forgets who listens.
  #look() {
    const { signal } = this.#stop;
    for (const area of areas(this.#host)) {
      this.#known.add(area);
      const frame = 'defaultView' in area ? area.defaultView : null, target = frame ?? area;
      this.#observer.observe(area, { subtree: true, childList: true, attributes: true, attributeFilter: watched });
      for (const name of [...changing, ...moving]) target.addEventListener(name, this.#asked, { signal, capture: true });
      area.addEventListener('load', this.#arrived, { signal, capture: true }); // of frames within; windows see none of them
      if (!frame) continue;
      for (const name of activity) frame.addEventListener(name, this.#tells.active, { signal, capture: true, passive: true });
      for (const name of ['input', 'change']) frame.addEventListener(name, this.#tells.typed, { signal });
      frame.addEventListener('pagehide', this.#arrived, { signal });
    }
    this.#quietly(() => this.#apply());
  }

  #arrived = () => { setTimeout(() => this.#stop.signal.aborted || this.#look()); };

  #asked = (/** @type {Event} */ e) => {
    const [first] = /** @type {Node[]} */ (e.composedPath());
    const at = /** @type {Element | null} */ (first.nodeType === 1 ? first : null);
    // The target is the element itself for what is in its own shadow root, too.
    if (!at || e.target === this.#host || at.matches(ignored) || /** @type {Partial<Element>} */ (e.target).matches?.(ignored)) return;
    // Elements make shadow roots without a word.
    const root = at.getRootNode();
    if (!this.#known.has(root) && root !== this.#host.getRootNode()) this.#look();
    const editor = at.closest('[contenteditable]') ?? (this.#isDesigned(at.ownerDocument) ? at.ownerDocument.body : null);
    const moves = moving.includes(e.type);
    if (this.#tells.may()) {
      if (!moves || e.type === 'keydown') this.#tells.begins();
      if (editor) setTimeout(this.#tells.typed); // editors may swallow what would tell
      return;
    }
    const disabled = at.closest(editable)?.hasAttribute('disabled');
    // The fields are read-only by now, so keys and clicks that only move about
    // may go on.
    if (moves && !disabled && !editor && (!at.closest(controls) || at.closest(link))) return;
    if (disabled || !moves || /click/.test(e.type)) e.preventDefault();
    e.stopImmediatePropagation();
  };

  #apply() {
    if (!this.#writable) {
      for (const area of areas(this.#host)) {
        for (const e of [...area.querySelectorAll(editable), ...sealed(area)]) if (!e.matches(ignored)) this.#lock(e);
        if ('designMode' in area && area.designMode === 'on') {
          this.#designs.add(area);
          area.designMode = 'off';
        }
      }
      return;
    }
    for (const [e, own] of this.#own) {
      const name = attributeOf(e);
      if (own === null) e.removeAttribute(name);
      else e.setAttribute(name, own);
    }
    for (const page of this.#designs) page.designMode = 'on';
    this.#own.clear();
    this.#designs.clear();
  }

  /** @param {Element} e */
  #lock(e) {
    const name = attributeOf(e);
    if (!this.#own.has(e)) this.#own.set(e, e.getAttribute(name));
    e.setAttribute(name, name === 'contenteditable' ? 'false' : '');
    if (name === 'inert' && e.ownerDocument.activeElement === e) /** @type {HTMLElement} */ (e).blur(); // keys would go on
  }

  // What the page changes while it is read-only is what it wants once it is
  // writable.
  /** @param {MutationRecord[]} records */
  #changed(records) {
    this.#note(records);
    if (!this.#writable || records.some(mayHave)) this.#look();
  }

  /** @param {MutationRecord[]} records */
  #note(records) {
    if (this.#writable) return;
    for (const { target, attributeName } of records) {
      const e = /** @type {Element} */ (target);
      if (attributeName && this.#own.has(e) && attributeName === attributeOf(e)) this.#own.set(e, e.getAttribute(attributeName));
    }
  }

  /** @param {() => void} change */
  #quietly(change) {
    this.#note(this.#observer.takeRecords());
    change();
    this.#observer.takeRecords();
  }
}
