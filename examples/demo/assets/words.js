// Texts in the reader's language, times in the reader's zone. Everything that
// people wrote goes in as text nodes, never as markup.

import { client, label } from './me.js';

const table = JSON.parse(document.getElementById('words').textContent);
const { lang } = document.documentElement;
const locale = navigator.languages.find((l) => l.startsWith(lang)) ?? lang; // their own en, if they have one
const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'medium' });

// text fills {name} in the text of a key.
export function text(key, values = {}) {
  return table[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// say puts a text into an element; values may be nodes. An element that says
// it already is left alone, so that nothing is read out twice.
export function say(element, key, values = {}) {
  const parts = key === '' ? [] : nodes(key, values);
  const before = document.createElement('div');
  before.append(...parts);
  if (element.innerHTML !== before.innerHTML) element.replaceChildren(...before.childNodes);
}

export function nodes(key, values = {}) {
  return table[key].split(/\{(\w+)\}/).map((part, i) => {
    if (i % 2 === 0) return document.createTextNode(part);
    const value = values[part];
    return value instanceof Node ? value.cloneNode(true) : bdi(value);
  });
}

// owner is a name, with what it is of unless it is a person's.
export function owner(o) {
  const { kind, on_behalf_of: of } = o;
  return kind ? text(`owner.${kind}${of ? '.for' : ''}`, { name: label(o), of }) : label(o);
}

// time shows a moment: the clock, with the day if it is not today.
export function time(at) {
  const moment = client.date(at);
  const today = moment.toDateString() === new Date().toDateString();
  return element('time', { dateTime: new Date(at).toISOString(), title: exact.format(moment) }, (today ? clock : day).format(moment));
}

export function element(tag, properties = {}, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

// bdi is what somebody wrote, which does not change the order of the text
// around it: a U+2069 in it would, so the characters that direct text are
// written out.
export const bdi = (text) => element('bdi', {}, String(text).replace(/[\u2028-\u202e\u2066-\u2069]/g,
  (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase()}]`));

// person is a name that stands out in a sentence.
export const person = (name) => element('b', {}, bdi(name));
