// Draws who else looks at a record, in the banner of an element.

import { badge, element, person, put } from './dom.js';
import { presence } from '../presence.js';

/** @import { Editlock } from '../client.js' */
/** @import { Lock } from '../lock.js' */
/** @import { MutexID, Owner, People, Person } from '../types.js' */
/** @import { Speech } from './dom.js' */

/** So many are named in one line. */
const named = 3;

/** @type {Record<'en' | 'ru', Record<string, string>>} */
export const tables = {
  en: {
    label: 'Also looking: ', and: ' and ', others: '{n} others', other: '1 other', more: 'and {n} more',
    unsaved: 'unsaved edits', idle: 'away', since: 'since {since}', holder: '{name} has unsaved edits.',
  },
  ru: {
    label: 'Смотрят: ', and: ' и ', others: 'ещё {n}', other: 'ещё 1', more: 'и ещё {n}',
    unsaved: 'есть несохранённые правки', idle: 'нет активности', since: 'с {since}', holder: '{name}: есть несохранённые правки.',
  },
};

const css = `
#company { flex: 1 0 100%; font-size: .9375rem; min-width: 0; }
#company p { overflow-wrap: anywhere; }
#company summary { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .625rem; width: fit-content; max-width: 100%; cursor: pointer; border-radius: 4px; }
#company summary::before { content: "▸"; }
#company details[open] summary::before { content: "▾"; }
#company summary span { overflow-wrap: anywhere; min-width: 0; }
#company .faces { display: inline-flex; gap: .125rem; }
#company .badge { width: 1.625rem; height: 1.625rem; font-size: .625rem; }
#company ul { list-style: none; margin: .5rem 0 0; padding: 0; display: grid; gap: .375rem; }
#company li { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .625rem; overflow-wrap: anywhere; }
`;
const style = globalThis.CSSStyleSheet ? new CSSStyleSheet() : /** @type {CSSStyleSheet} */ ({});
style.replaceSync?.(css);

/** @param {Owner} o */
const label = (o) => o.name || o.login || o.user_id || o.session;

/** @param {Owner} a @param {Owner} b */
const same = (a, b) => a.kind === b.kind && (a.user_id || b.user_id ? a.user_id === b.user_id : a.session === b.session);

export class Company {
  #speech;
  #words;
  #look;
  #box = element('div', { id: 'company', part: 'company', hidden: true });
  #unsaved = element('p');
  #summary = element('summary');
  #list = element('ul');
  #details = element('details', {}, this.#summary, this.#list);
  /** @type {People} */
  #seen = { people: [], count: 0 };
  /** @type {Lock | null} */
  #lock = null;

  /**
   * @param {Editlock} client
   * @param {MutexID} mutex
   * @param {ShadowRoot} root with a banner
   * @param {Speech} speech
   */
  constructor(client, mutex, root, speech) {
    this.#speech = speech;
    this.#words = tables[speech.lang];
    if (!root.adoptedStyleSheets.includes(style)) root.adoptedStyleSheets.push(style);
    this.#box.append(this.#unsaved, this.#details);
    root.getElementById('banner')?.append(this.#box);
    this.#look = presence(client).look(mutex, (seen) => {
      this.#seen = seen;
      this.#draw();
    });
  }

  /** Ends this page's presence. */
  stop() {
    this.#look.stop();
    this.#box.remove();
  }

  /**
   * show draws the others beside a lock, and tells them what this page does.
   * @param {Lock} lock
   * @param {boolean} unsaved
   */
  show(lock, unsaved) {
    this.#lock = lock;
    this.#look.set(unsaved ? 'unsaved' : lock.token && lock.holder?.sharing !== 'shared' ? 'editing' : 'looking');
    this.#draw();
  }

  #draw() {
    const holder = this.#lock?.token ? null : this.#lock?.holder?.owner ?? null;
    const { people, count } = this.#seen, editor = holder && people.find((p) => same(p.owner, holder));
    const others = people.filter((p) => p !== editor), n = count - (editor ? 1 : 0);
    put(this.#unsaved, editor?.state === 'unsaved' ? this.#fill('holder', { name: person(label(editor.owner)) }) : []);
    this.#details.hidden = !n;
    this.#box.hidden = !n && !this.#unsaved.hasChildNodes();
    if (!n) {
      this.#details.open = false;
      return;
    }
    const first = others.slice(0, n === named + 1 ? n : named), rest = n - first.length, words = this.#words;
    /** @type {Node[]} */
    const line = [document.createTextNode(words.label)];
    first.forEach((p, i) => {
      if (i) line.push(document.createTextNode(i === first.length - 1 && !rest ? words.and : ', '));
      line.push(person(label(p.owner)));
    });
    if (rest) line.push(document.createTextNode(words.and + words[rest === 1 ? 'other' : 'others'].replace('{n}', String(rest))));
    put(this.#summary, [element('span', { className: 'faces', 'aria-hidden': 'true' }, ...first.map((p) => badge(label(p.owner)))), element('span', {}, ...line)]);
    put(this.#list, [...others.map((p) => this.#row(p)), ...(n > others.length
      ? [element('li', {}, words.more.replace('{n}', String(n - others.length)))] : [])]);
  }

  /** @param {Person} p */
  #row(p) {
    const said = p.state === 'unsaved' || p.state === 'idle'
      ? [document.createTextNode(this.#words[p.state])] : this.#fill('since', { since: this.#speech.time(p.since) });
    return element('li', {}, badge(label(p.owner)), person(label(p.owner)), element('span', {}, ...said));
  }

  /**
   * @param {string} key
   * @param {Record<string, Node>} values
   */
  #fill(key, values) {
    return this.#words[key].split(/\{(\w+)\}/).map((part, i) => i % 2 ? values[part] : document.createTextNode(part)).filter((n) => n.textContent);
  }
}
