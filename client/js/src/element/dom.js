// Texts in the reader's language, times in the reader's zone. Everything that
// people wrote goes in as text nodes, never as markup.

import { languages, words } from './words.js';

/** @import { Owner } from '../types.js' */

/** @typedef {Record<string, string | number | Node>} Values */

/** @param {Owner} o the most readable of an owner's fields */
export const label = (o) => o.name || o.login || o.user_id || o.session;

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties] part and aria-… and data-… are attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, properties = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(part|role|aria-|data-|tabindex)/.test(name)) e.setAttribute(name, value);
    else Object.assign(e, { [name]: value });
  }
  e.append(...children);
  return e;
}

/**
 * put replaces what an element says. One that says it already is left alone,
 * so that nothing is read out twice.
 * @param {Element} target
 * @param {Node[]} nodes
 */
export function put(target, nodes) {
  const wanted = element('div', {}, ...nodes);
  if (target.childNodes.length !== nodes.length || [...target.childNodes].some((n, i) => !n.isEqualNode(wanted.childNodes[i]))) {
    target.replaceChildren(...wanted.childNodes);
  }
}

const directing = /[\u202a-\u202e\u2066-\u2069]/g;
const rightToLeft = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

// A U+2069 in a text would end its isolation, so the characters that direct
// text are written out.
/** @param {string} text */
const spelled = (text) => text.replace(directing, (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase()}]`);

/** @param {string} text what somebody wrote, which does not change the order of the text around it */
export const bdi = (text) => element('bdi', {}, spelled(text));

/** @param {string} text the same for a place without markup */
const isolated = (text) => rightToLeft.test(text) ? `\u2068${spelled(text)}\u2069` : spelled(text);

/** @param {string} name a name that stands out in a sentence */
export const person = (name) => element('b', {}, bdi(name));

/** @param {string} name */
export function badge(name) {
  let hue = 7;
  for (const c of name.toLowerCase()) hue = (hue * 31 + (c.codePointAt(0) ?? 0)) % 360;
  const initials = name.split(/\s+/, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
  const e = element('span', { className: 'badge', part: 'badge', 'aria-hidden': 'true' }, initials);
  e.style.setProperty('--hue', String(hue));
  return e;
}

/** Speaks one language to one reader. */
export class Speech {
  #language;
  #clock;
  #day;
  #exact;
  #date;

  /**
   * @param {string} lang
   * @param {(at: string) => Date} date what a time of the server is on this computer's clock
   */
  constructor(lang, date) {
    this.#language = Number(/^ru\b/i.test(lang));
    this.lang = languages[this.#language];
    this.#date = date;
    const locale = navigator.languages.find((l) => l.startsWith(this.lang)) ?? this.lang; // their own en, if they have one
    this.#clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
    this.#day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
    this.#exact = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'medium' });
  }

  /**
   * reads is the key of what is said of somebody who reads, where that is another text.
   * @param {string} key
   * @param {boolean} [does]
   */
  reads(key, does = true) { return does && `${key}.reads` in words ? `${key}.reads` : key; }

  /**
   * text fills {name} in the text of a key.
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  text(key, values = {}) { return words[key][this.#language].replace(/\{(\w+)\}/g, (_, name) => isolated(String(values[name]))); }

  /**
   * nodes is text with values that may be nodes; texts among them keep to themselves.
   * @param {string} key
   * @param {Values} [values]
   */
  nodes(key, values = {}) {
    return words[key][this.#language].split(/\{(\w+)\}/).map((part, i) => {
      const value = values[part];
      if (i % 2 && value instanceof Node) return value.cloneNode(true);
      return i % 2 && typeof value === 'string' ? bdi(value) : document.createTextNode(i % 2 ? String(value) : part);
    }).filter((n) => n.textContent);
  }

  /**
   * owner is a name that stands out, with what it is of unless it is a person's.
   * @param {Owner} o
   */
  owner(o) {
    const { kind = 'person', on_behalf_of: of } = o;
    return element('span', {}, person(label(o)), ...kind === 'person' ? [] : [' (', ...this.nodes(`kind.${kind}`), ...of ? this.nodes('kind.for', { of }) : [], ')']);
  }

  /**
   * time shows a moment: the clock, with the day if it is not today.
   * @param {string | Date | undefined} at a time of the server, or a Date of this computer
   */
  time(at) {
    const moment = at instanceof Date ? at : this.#date(at ?? '');
    const today = moment.toDateString() === new Date().toDateString();
    return element('time', {
      dateTime: at instanceof Date ? at.toISOString() : new Date(at ?? '').toISOString(), title: this.#exact.format(moment),
    }, (today ? this.#clock : this.#day).format(moment));
  }
}
