// Several parts of one record in one form: <edit-lock object-part="…"> around each
// fieldset. Loaded where it is used. A part is held from when the reader comes to it until
// they come to another one, or as long as it has text that is not saved.

import { isEditor, nameOf, valuesOf, write } from './element/fields.js';

/** @import { Problem } from './types.js' */
/** @import { EditLockElement } from './element.js' */
/** @import { Control } from './element/fields.js' */

// One line, whether free or held, so that nothing below moves when the reader goes from
// one part to the next.
const css = `
#banner { padding-block: .25rem; min-height: 3.5rem; align-items: center; }
#banner .badge { width: 2.25rem; height: 2.25rem; font-size: .8125rem; }
#banner:is([data-tone=quiet], [data-tone=mine]) #detail { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
`;
const style = globalThis.CSSStyleSheet ? new CSSStyleSheet() : /** @type {CSSStyleSheet} */ ({});
style.replaceSync?.(css);

/** @type {WeakMap<HTMLFormElement, Sections>} */
const all = new WeakMap();

/**
 * sections are those of a form.
 * @param {HTMLFormElement} form
 * @returns {Sections}
 */
export function sections(form) {
  const known = all.get(form) ?? new Sections(form);
  all.set(form, known);
  return known;
}

/**
 * join makes an element a section of its form, until the signal.
 * @param {EditLockElement} element
 * @param {HTMLFormElement} form
 * @param {AbortSignal} signal
 */
export const join = (element, form, signal) => sections(form).join(element, signal);

/** @param {EditLockElement} e */
const partOf = (e) => e.getAttribute('object-part') ?? '';

export class Sections {
  #form;
  /** @type {Set<EditLockElement>} */
  #members = new Set();
  /** @type {EditLockElement | null} where the reader is */
  #at = null;
  /** @type {Set<EditLockElement>} where they were before; what they were granted since is not among them */
  #left = new Set();

  /** Made by sections. @param {HTMLFormElement} form */
  constructor(form) { this.#form = form; }

  /** Those whose text is not stored, in the order of the form. */
  get changed() {
    const all = /** @type {EditLockElement[]} */ ([...this.#form.querySelectorAll('edit-lock')]);
    return all.filter((e) => this.#members.has(e) && e.unsaved && e.lock?.token);
  }

  /** The tokens of all parts that changed, as servers read them: part=token, with commas between. */
  get tokens() { return this.changed.map((e) => `${encodeURIComponent(partOf(e))}=${e.lock?.token}`).join(); }

  /** What a save of all parts that changed must carry. */
  get headers() { return /** @type {Record<string, string>} */ (this.tokens ? { 'Editlock-Token': this.tokens } : {}); }

  /** saved tells that what these parts say is stored now; default: those that changed. */
  saved(elements = this.changed) { for (const e of elements) e.saved(); }

  /**
   * refused takes the server's problem that a save was refused with: of lost, it is that of
   * one part, and the others keep what was typed.
   * @param {Problem} problem
   */
  refused(problem) {
    const { changed } = this, lost = changed.filter((e) => problem.mutex?.part === partOf(e));
    for (const e of lost.length ? lost : changed) e.refused(problem);
  }

  /**
   * @param {EditLockElement} element
   * @param {AbortSignal} signal
   */
  join(element, signal) {
    this.#members.add(element);
    signal.addEventListener('abort', () => {
      this.#members.delete(element);
      this.#left.delete(element);
      if (this.#at === element) this.#at = null;
      this.#told();
    });
    const root = /** @type {ShadowRoot} */ (element.shadowRoot), legend = element.querySelector('legend')?.textContent?.trim() || partOf(element);
    if (!root.adoptedStyleSheets.includes(style)) root.adoptedStyleSheets.push(style);
    // Each region of the page has a name of its own.
    for (const region of root.querySelectorAll('section')) {
      region.ariaLabel = `${region.ariaLabel || region.querySelector('h2')?.textContent}: ${legend}`;
      region.removeAttribute('aria-labelledby');
    }
    element.reload ??= () => this.#newest(element);
    // Not those in the banner, which only ask.
    element.addEventListener('focusin', (e) => e.target !== element && this.#enter(element), { signal });
    element.addEventListener('pointerdown', (e) => e.target !== element && this.#enter(element), { signal });
    element.addEventListener('editlock-change', () => this.#changed(element), { signal });
    this.#form.removeAttribute('inert');
    if (element.contains(document.activeElement) && document.activeElement !== element) this.#enter(element);
  }

  /** @param {EditLockElement} element */
  #enter(element) {
    if (element.hasAttribute('manual')) return;
    this.#go(element);
    if (['free', 'closed', 'self'].includes(element.state)) element.lock?.open();
    this.#settle();
  }

  /** @param {EditLockElement} element */
  #changed(element) {
    if (element.state === 'opening') this.#go(element); // by its button
    this.#told();
    this.#settle();
  }

  /** @param {EditLockElement} element */
  #go(element) {
    if (this.#at && this.#at !== element) this.#left.add(this.#at);
    this.#left.delete(element);
    this.#at = element;
  }

  // The next part is held before the last one is given back.
  #settle() {
    if (this.#at?.state !== 'mine') return;
    for (const e of this.#left) {
      const { lock } = e;
      if (!lock || e.state !== 'mine' || e.unsaved) continue;
      lock.release().then(() => { if (lock === e.lock && lock.state === 'closed') lock.peek(); });
    }
  }

  // A form that is sent without scripts carries the tokens in a field.
  #told() {
    for (const name of new Set([...this.#members].map((e) => e.getAttribute('token-field')))) {
      if (!name) continue;
      let field = /** @type {HTMLInputElement | null} */ (this.#form.querySelector(`input[name="${CSS.escape(name)}"]`));
      if (!field) {
        field = Object.assign(document.createElement('input'), { type: 'hidden', name });
        this.#form.append(field);
      }
      field.value = this.tokens;
    }
  }

  /**
   * newest gets the part's stored text, and its version, from the page itself, so that the
   * others stay as they are.
   * @param {EditLockElement} element
   * @returns {Promise<() => void>}
   */
  async #newest(element) {
    const page = await new Promise((done, fail) => {
      const call = new XMLHttpRequest(); // parses, where trusted types let nobody else
      call.open('GET', location.href);
      call.responseType = 'document';
      call.timeout = 8000;
      call.onload = () => done(call.response);
      call.onerror = call.ontimeout = fail;
      call.send();
    });
    const twin = /** @type {Document} */ (page).querySelector(`edit-lock[object-part="${CSS.escape(partOf(element))}"][object="${CSS.escape(element.getAttribute('object') ?? '')}"]`);
    if (!twin) throw new Error('the page has no such part any more');
    /** @param {Element} e */
    const fields = (e) => /** @type {Control[]} */ ([...e.querySelectorAll('input:not([type=hidden], [type=password], [type=file]), textarea, select')]).filter(nameOf);
    const stored = valuesOf(fields(twin)), mine = fields(element);
    return () => {
      for (const [name, value] of Object.entries(stored)) {
        const named = mine.filter((f) => nameOf(f) === name && !isEditor(f));
        if (valuesOf(named)[name] !== value) write(named, value);
      }
      const version = twin.getAttribute('version');
      if (version !== null) element.version = version;
    };
  }
}
