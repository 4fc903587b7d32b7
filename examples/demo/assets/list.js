// The list of documents: who holds each, live.

import { badge } from './avatar/avatar.js';
import { presence } from './editlock/presence.js';
import { client, isMe, label, mutexOf, sameMutex } from './me.js';
import { nodes, owner, say, text, time } from './words.js';

export function showList(watch) {
  const cards = document.querySelectorAll('.card');
  const stream = document.getElementById('stream');
  watch.addEventListener('change', () => {
    say(stream, watch.online ? '' : 'list.offline');
    for (const card of cards) show(card, watch.mutexes.filter((m) => sameMutex(m.mutex, mutexOf(card))));
  });
  showLooking([...cards]);
}

// Who looks is no event: it is asked for now and then, for all cards at once.
const askEvery = 10_000;

async function showLooking(cards) {
  const ask = async () => {
    const states = await presence(client).query(cards.map(mutexOf)).catch(() => []);
    states.forEach(({ holder, people, count }, i) => {
      const n = count - people.filter((p) => holder && p.owner.session === holder.session).length;
      say(cards[i].querySelector('.card-looking'), n ? 'list.looking' : '', { count: n });
    });
  };
  document.addEventListener('visibilitychange', () => document.hidden || ask());
  setInterval(() => document.hidden || ask(), askEvery);
  await ask();
}

function show(card, all) {
  const signature = all.map((held) => `${held.token} ${held.waiting}`).join() || 'free';
  if (card.dataset.shows === signature) return;
  card.dataset.shows = signature;
  const state = card.querySelector('.card-state');
  if (!all.length) {
    card.dataset.tone = 'free';
    say(state, 'list.free');
    return;
  }
  const [held] = all, mine = all.some((m) => isMe(m.owner)), reads = held.sharing === 'shared';
  card.dataset.tone = mine ? 'mine' : 'other';
  const parts = held.mutex.part ? sections(all) : [badge(label(held.owner)), line(reads ? (mine ? 'list.read.me' : 'list.read.other') : mine ? 'list.me' : 'list.other', { name: owner(held.owner), since: time(held.captured_at) })];
  const waiting = all.reduce((n, m) => n + m.waiting, 0);
  if (waiting > 0) {
    const queue = document.createElement('span');
    queue.className = 'queue';
    queue.textContent = text('list.waiting', { count: waiting });
    parts.push(queue);
  }
  state.replaceChildren(...parts);
}

// sections names those who edit sections of a document, the reader first.
function sections(all) {
  const people = new Map([...all].sort((a, b) => isMe(b.owner) - isMe(a.owner)).map((m) => [m.owner.session, m.owner]));
  const names = [...people.values()].map((o) => (isMe(o) ? text('list.you') : owner(o))).join(', ');
  return [...[...people.values()].map((o) => badge(label(o))), line('list.sections', { names })];
}

function line(key, values) {
  const e = document.createElement('span');
  e.append(...nodes(key, values));
  return e;
}
