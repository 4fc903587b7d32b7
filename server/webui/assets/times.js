// Times as the reader's clock shows them, and how long ago that was. Which
// time it is now, the server says: the browser's clock may be wrong, only its
// time zone is believed.

import { locale, say } from './words.js';

let told = Date.parse(document.body.dataset.now); // by the server
let heard = performance.now();

export const now = () => told + performance.now() - heard;

// hear takes the server's time from an answer.
export function hear(stamp) {
  const time = Date.parse(stamp);
  if (!Number.isNaN(time)) [told, heard] = [time, performance.now()];
}

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const year = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });

export function local(time) {
  const then = new Date(time), today = new Date(now());
  if (then.toDateString() === today.toDateString()) return clock.format(then);
  return (then.getFullYear() === today.getFullYear() ? day : year).format(then);
}

const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];

// away is how far a time is from now, in its two largest units: seconds only
// within the last minute.
function away(time) {
  const ahead = time > now();
  let seconds = Math.floor(Math.abs(time - now()) / 1000);
  if (seconds < 1) return say('now');
  const parts = [];
  for (const [name, size] of units) {
    const n = Math.floor(seconds / size);
    if (n > 0 && (name !== 's' || parts.length === 0)) parts.push(`${n}\u00a0${say(name)}`);
    else if (parts.length > 0) break;
    seconds -= n * size;
    if (parts.length === 2) break;
  }
  return say(ahead ? 'in' : 'ago', { time: parts.join(' ') });
}

// beside is what stands beside a time. Within a sentence the time comes first,
// "since 12:04 (2 min ago)", else how far away it is.
function beside(when, time) {
  const text = away(Date.parse(time.dateTime));
  return when.classList.contains('said') ? `(${text})` : text;
}

// show makes the times below an element the reader's.
export function show(root) {
  for (const time of root.querySelectorAll('.when > time')) {
    const at = Date.parse(time.dateTime), when = time.parentElement;
    const relative = document.createElement('b');
    relative.className = 'away';
    if (when.classList.contains('said')) time.after(' ', relative);
    else time.before(relative, ' ');
    time.textContent = local(at);
    time.title = exact.format(at);
    relative.textContent = beside(when, time);
  }
  draw(root);
}

// draw writes the times of a timeline: on its axis, and in the titles of its bars.
function draw(root) {
  for (const tick of root.querySelectorAll('.tick')) tick.textContent = local(Date.parse(tick.dataset.at));
  for (const { dataset, firstElementChild: title } of root.querySelectorAll('.bar')) {
    const [from, to] = [dataset.from, dataset.to].map((stamp) => stamp ? local(Date.parse(stamp)) : '…');
    title.textContent = say('span', { who: dataset.who, from, to });
  }
}

function tick() {
  for (const relative of document.querySelectorAll('.when > .away')) {
    const when = relative.parentElement, text = beside(when, when.querySelector('time'));
    if (relative.textContent !== text) relative.textContent = text;
  }
}

export function keepTimes() {
  show(document);
  setInterval(() => document.hidden || tick(), 1000);
  document.addEventListener('visibilitychange', () => document.hidden || tick());
}
