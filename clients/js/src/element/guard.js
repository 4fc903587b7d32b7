// Makes what an element wraps read-only, and writable again, without touching
// what the page itself has made read-only or disabled.

const editable = 'input:not([type=hidden]), textarea, select, button, [contenteditable]:not([contenteditable=false])';
const ignored = '[data-editlock=ignore], [data-editlock=ignore] *';
const watched = ['disabled', 'readonly', 'contenteditable'];
// Of these types an input can be read-only, and still be read and copied by
// keyboard; the others can only be disabled.
const texts = ['text', 'search', 'url', 'tel', 'email', 'password', 'date', 'month', 'week', 'time', 'datetime-local', 'number'];
const changing = ['beforeinput', 'keydown', 'mousedown', 'click', 'paste', 'cut', 'drop', 'submit'];

/** @typedef {HTMLInputElement & HTMLTextAreaElement} Control */

/** @param {Element} e */
const canBeReadOnly = (e) => e.localName === 'textarea' || e.localName === 'input' && texts.includes(/** @type {Control} */ (e).type);

/** @param {Element} e */
const attributeOf = (e) => canBeReadOnly(e) ? 'readonly' : 'disabled' in e ? 'disabled' : 'contenteditable';

export class Guard {
  #host;
  #writable = true;
  /** @type {Map<Element, string | null>} what the page had set, of all that is locked */
  #own = new Map();
  #observer;

  /**
   * @param {HTMLElement} host
   * @param {() => boolean} may is asked before each change that the reader makes
   */
  constructor(host, may) {
    this.#host = host;
    this.#observer = new MutationObserver((records) => this.#changed(records));
    for (const name of changing) {
      host.addEventListener(name, (e) => {
        const target = /** @type {Element} */ (e.target);
        if (target === host || target.matches(ignored) || may()) return;
        // The fields are read-only by now, so keys and clicks that only move
        // about may go on.
        if (!['keydown', 'mousedown', 'click'].includes(name) || target.closest(editable)?.hasAttribute('disabled')) {
          e.preventDefault();
          e.stopPropagation();
        }
      }, { capture: true });
    }
  }

  start() {
    this.#observer.observe(this.#host, { subtree: true, childList: true, attributes: true, attributeFilter: watched });
    this.#quietly(() => this.#apply());
  }

  /** wake takes over from a page that keeps its form inert until somebody guards it. */
  wake() {
    for (const e of this.#host.querySelectorAll('form[inert]')) e.removeAttribute('inert');
  }

  /** stop gives the page back as it would be without the element. */
  stop() {
    this.#writable = true;
    this.#quietly(() => this.#apply());
    this.#observer.disconnect();
  }

  /** @param {boolean} writable */
  set(writable) {
    if (writable === this.#writable) return;
    this.#writable = writable;
    this.#quietly(() => this.#apply());
  }

  /** controls are the fields whose text somebody would miss. */
  get fields() {
    return /** @type {Control[]} */ ([...this.#host.querySelectorAll('input, textarea, select, [contenteditable]')])
      .filter((e) => nameOf(e) && !['hidden', 'password', 'file', 'submit', 'button', 'reset', 'image'].includes(e.type) && !e.matches(ignored));
  }

  #apply() {
    if (!this.#writable) {
      for (const e of this.#host.querySelectorAll(editable)) if (!e.matches(ignored)) this.#lock(e);
      return;
    }
    for (const [e, own] of this.#own) {
      const name = attributeOf(e);
      if (own === null) e.removeAttribute(name);
      else e.setAttribute(name, own);
    }
    this.#own.clear();
  }

  /** @param {Element} e */
  #lock(e) {
    const name = attributeOf(e);
    if (!this.#own.has(e)) this.#own.set(e, e.getAttribute(name));
    e.setAttribute(name, name === 'contenteditable' ? 'false' : '');
  }

  // What the page changes while it is read-only is what it wants once it is
  // writable.
  /** @param {MutationRecord[]} records */
  #changed(records) {
    if (this.#writable) return;
    this.#quietly(() => {
      for (const { type, target, attributeName } of records) {
        const e = /** @type {Element} */ (target);
        if (type === 'attributes' && this.#own.has(e) && attributeName === attributeOf(e)) this.#own.set(e, e.getAttribute(attributeName));
      }
      this.#apply();
    });
  }

  /** @param {() => void} change */
  #quietly(change) {
    const pending = this.#observer.takeRecords();
    if (pending.length && !this.#writable) {
      for (const { target, attributeName } of pending) {
        const e = /** @type {Element} */ (target);
        if (attributeName && this.#own.has(e)) this.#own.set(e, e.getAttribute(attributeName));
      }
    }
    change();
    this.#observer.takeRecords();
  }
}

/** @param {Element} e */
export const nameOf = (e) => e.getAttribute('name') || e.id;

/** @param {Control} e */
export function labelOf(e) {
  return e.labels?.[0]?.textContent?.trim() || e.getAttribute('aria-label') || nameOf(e);
}

/**
 * valuesOf reads fields as texts by name.
 * @param {Control[]} fields
 */
export function valuesOf(fields) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const e of fields) {
    const name = nameOf(e);
    if (e.type === 'radio') values[name] = e.checked ? e.value : values[name] ?? '';
    else if (e.type === 'checkbox') values[name] = [values[name], e.checked ? e.value : ''].filter(Boolean).join(', ');
    else if (e.localName === 'select') values[name] = [.../** @type {any} */ (e).selectedOptions].map((o) => o.value).join(', ');
    else values[name] = e.value ?? e.textContent ?? '';
  }
  return values;
}

/**
 * shown is a value as the form shows it: an option by its text.
 * @param {Control | undefined} e
 * @param {string} value
 */
export function shown(e, value) {
  if (e?.localName !== 'select') return value;
  return [.../** @type {any} */ (e).options].find((o) => o.value === value)?.textContent ?? value;
}

/**
 * write puts a text into a field as if it had been typed, so that frameworks
 * notice.
 * @param {Control[]} fields all of one name
 * @param {string} value
 */
export function write(fields, value) {
  for (const e of fields) {
    if (e.type === 'radio' || e.type === 'checkbox') {
      if (e.checked !== value.split(', ').includes(e.value)) e.click();
    } else if (e.localName === 'select' && /** @type {any} */ (e).multiple) {
      for (const o of /** @type {any} */ (e).options) o.selected = value.split(', ').includes(o.value);
    } else if ('value' in e) {
      // React puts a property of its own over the element's.
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), 'value')?.set?.call(e, value);
    } else {
      /** @type {HTMLElement} */ (e).textContent = value;
    }
    for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, { bubbles: true }));
  }
}
