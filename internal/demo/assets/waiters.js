// Who waits for this page's document, and the holder's answers.

import { badge } from './badges.js';
import { ask } from './ask.js';
import { label } from './me.js';
import { element, nodes, person, say, text, time } from './words.js';

const panel = document.getElementById('waiters');
const list = document.getElementById('waiters-list');
const pass = document.getElementById('hand-over');
const shownWaiters = 5;

// showWaiters draws the queue while the lock is held here; unsaved says
// whether handing over has something to save first.
export function showWaiters(lock, unsaved, decline) {
  const waiting = lock.state === 'mine' ? lock.holder.waiting : 0;
  if (waiting === 0 && panel.contains(document.activeElement)) document.getElementById('banner').focus();
  panel.hidden = waiting === 0;
  if (waiting === 0) {
    list.replaceChildren();
    return;
  }
  say(pass, unsaved ? 'waiters.handover.save' : 'waiters.handover');
  const waiters = lock.holder.waiters.slice(0, shownWaiters);
  const rows = new Map([...list.children].map((row) => [row.dataset.waiter, row]));
  list.replaceChildren(...waiters.map((w) => rows.get(w.id) ?? draw(w, decline)));
  if (waiting > waiters.length) {
    list.append(element('li', { className: 'more' }, text('waiters.more', { count: waiting - waiters.length })));
  }
}

function draw(waiter, decline) {
  const name = label(waiter.owner);
  const about = element('span', { className: 'about' }, person(name), ' ', ...nodes('waiters.since', { since: time(waiter.since) }));
  if (waiter.grant_at) about.append(', ', ...nodes('waiters.passes', { at: time(waiter.grant_at) }));
  const answer = element('button', {
    type: 'button', textContent: text('waiters.decline'), ariaLabel: text('waiters.decline.name', { name }),
    async onclick() {
      const message = await ask('decline', { name: person(name) });
      if (message !== null) decline(waiter.id, message);
    },
  });
  const row = element('li', {}, badge(name), about, answer);
  if (waiter.message) about.after(element('q', {}, waiter.message));
  row.dataset.waiter = waiter.id;
  return row;
}
