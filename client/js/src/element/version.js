// What becomes of a save that is refused as the record changed past its lock.
// Loaded by <edit-lock> where it has the attribute version.

import { element } from './dom.js';

/** @import { EditLockElement } from '../element.js' */
/** @import { Problem } from '../types.js' */

/** The code of a save that is refused as the record changed. */
export const code = 'changed';
const versionField = 'editlock_version', saveField = 'editlock_save';

/** The number of the last save: each page's are greater than those before. */
let saves = Date.now();

/** @type {Record<'en' | 'ru', Record<string, string>>} */
export const tables = {
  en: {
    changed: 'Nothing was saved: this was changed while you edited it, by an import or another program. Your text is still in the form.',
    gone: 'Nothing was saved: this was deleted while you edited it. Your text is still in the form: copy it elsewhere.',
    latest: 'Show what is stored now',
    kept: 'Your text is kept and shown beside it.',
  },
  ru: {
    changed: 'Ничего не сохранено: пока вы редактировали, это изменил импорт или другая программа. Ваш текст остался в форме.',
    gone: 'Ничего не сохранено: пока вы редактировали, это удалили. Ваш текст остался в форме: скопируйте его.',
    latest: 'Показать, что сохранено сейчас',
    kept: 'Ваш текст сохранится и будет показан рядом.',
  },
};

const css = `
#changed { flex: 1 0 100%; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; font-size: .9375rem; padding-inline-start: .75rem; border-inline-start: 4px solid currentColor; }
#changed p { flex: 1 1 18rem; overflow-wrap: anywhere; }
`;
const style = globalThis.CSSStyleSheet ? new CSSStyleSheet() : /** @type {CSSStyleSheet} */ ({});
style.replaceSync?.(css);

/**
 * versionOf is the version that an answer carries in ETag; null without one.
 * @param {Response} answer
 */
export function versionOf(answer) {
  const [, tag] = /^\s*(?:W\/)?"(.+)"\s*$/.exec(answer.headers.get('ETag') ?? '') ?? [];
  if (!tag) return null;
  try {
    return decodeURIComponent(tag);
  } catch {
    return tag; // another's, with a percent sign of its own
  }
}

export class Versions {
  #host;
  #read;
  #words;
  #latest;
  #root;
  #text = element('p');
  #button;
  #box;
  /** @type {Promise<Response> | null} the last of the saves under way */
  #under = null;
  /** The version that was refused. */
  #refused = '';
  #stop = new AbortController();

  /**
   * @param {EditLockElement} host
   * @param {() => Record<string, string>} read the fields as they are
   * @param {() => void} latest shows what is stored now, and keeps what was typed
   */
  constructor(host, read, latest) {
    const lang = host.closest('[lang]')?.getAttribute('lang') || navigator.language;
    this.#host = host;
    this.#read = read;
    this.#latest = latest;
    this.#root = /** @type {ShadowRoot} */ (host.shadowRoot);
    this.#words = tables[/^ru\b/i.test(lang) ? 'ru' : 'en'];
    this.#button = element('button', { type: 'button', part: 'button latest', onclick: () => this.#show() }, this.#words.latest);
    this.#box = element('div', { id: 'changed', part: 'changed', role: 'alert', hidden: true });
    if (!this.#root.adoptedStyleSheets.includes(style)) this.#root.adoptedStyleSheets.push(style);
    this.#root.getElementById('banner')?.append(this.#box);
    // Behind the page's own listener: it may send the form itself.
    host.addEventListener('submit', (e) => this.#submit(e), { signal: this.#stop.signal });
  }

  stop() {
    this.#stop.abort();
    this.#box.remove();
  }

  /**
   * send makes one save at a time, and tells the element what became of it.
   * @param {RequestInfo | URL} url
   * @param {Omit<RequestInit, 'body'> & {body?: BodyInit | (() => BodyInit)}} [init]
   * @returns {Promise<Response>}
   */
  send(url, init = {}) {
    const host = this.#host, save = Promise.resolve(this.#under).catch(() => {}).then(async () => {
      const { body } = init, fields = this.#read(), headers = new Headers(init.headers);
      headers.set('Editlock-Save', String(++saves));
      for (const [name, value] of Object.entries(host.headers)) headers.set(name, value);
      const answer = await fetch(url, { method: 'POST', ...init, headers, body: typeof body === 'function' ? body() : body });
      if (answer.ok) host.saved(fields, versionOf(answer) ?? '');
      else if (answer.headers.get('Content-Type')?.includes('problem+json')) host.refused(await answer.clone().json());
      return answer;
    }).finally(() => { if (this.#under === save) this.#under = null; });
    this.#under = save;
    return save;
  }

  /** follow goes on with another version. */
  follow() {
    if (this.#host.version !== this.#refused) this.#hide();
    for (const form of this.#host.querySelectorAll('form')) this.#fill(form);
  }

  /**
   * refused tells the page, and unless it takes that on, the reader.
   * @param {Problem} problem
   */
  refused(problem) {
    const { seen, current } = problem;
    this.#refused = this.#host.version ?? '';
    if (!this.#host.dispatchEvent(new CustomEvent('edit-lock-changed', { bubbles: true, cancelable: true, detail: { seen, current, problem } }))) return;
    const gone = current === null;
    this.#box.replaceChildren(this.#text, ...gone ? [] : [this.#button]);
    this.#box.hidden = false;
    this.#text.textContent = gone ? this.#words.gone : `${this.#words.changed} ${this.#words.kept}`;
  }

  #hide() {
    if (this.#box.contains(this.#root.activeElement)) this.#root.getElementById('banner')?.focus();
    this.#box.hidden = true;
    this.#box.replaceChildren();
  }

  #show() {
    this.#hide();
    this.#latest();
  }

  /** @param {SubmitEvent} e */
  #submit(e) {
    const { submitter } = e, form = /** @type {HTMLFormElement} */ (e.target), wait = this.#under;
    if (e.defaultPrevented) return;
    if (!wait) return void this.#fill(form, true);
    e.preventDefault(); // until the answer has told the version
    wait.catch(() => {}).then(() => form.requestSubmit(submitter));
  }

  // A form that is sent without scripts carries both in fields.
  /**
   * @param {HTMLFormElement} form
   * @param {boolean} [sends]
   */
  #fill(form, sends = false) {
    const { version } = this.#host;
    /** @param {string} name @param {string} value */
    const set = (name, value) => {
      let field = /** @type {HTMLInputElement | null} */ (form.querySelector(`input[name=${name}]`));
      if (!field && this.#host.hasAttribute('token-field')) {
        field = element('input', { type: 'hidden', name });
        form.append(field);
      }
      if (field) field.value = value;
    };
    set(versionField, version ?? '');
    if (sends) set(saveField, String(++saves));
  }
}
