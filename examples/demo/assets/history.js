// What happened to one document: its locks from the API's history, its saves
// from the demo, in one line of time.

import { get } from './api.js';
import { badge } from './avatar/avatar.js';
import { label } from './me.js';
import { bdi, element, nodes, owner, person, text, time } from './words.js';

const list = document.getElementById('history');
const length = 30;

// showHistory shows what happened to a document, and with parts to its sections, which
// have locks of their own.
export async function showHistory(mutex, saves, parts) {
  const query = new URLSearchParams({ ...mutex, ...parts && { tree: true }, limit: length });
  const { entries } = await get(`v1/history?${query}`);
  const lines = [...entries.map(told), ...saves.map(saved)]
    .sort((a, b) => b.at.localeCompare(a.at) || b.order - a.order).slice(0, length);
  list.replaceChildren(...(lines.length ? lines.map(draw) : [element('li', { className: 'empty' }, ...nodes('history.empty'))]));
}

// told makes a line of a history entry. Who stands first is who acts; in a
// hand-over, who receives.
function told(entry) {
  const { kind, at, seq: order } = entry;
  const first = kind === 'handed_over' && entry.other ? entry.other : entry.actor, name = label(first);
  const values = { name: owner(first), other: entry.other ? owner(entry.other) : '' };
  if (kind === 'handed_over' || kind === 'force_released') values.other = owner(entry.owner);
  const asked = kind === 'waiting' && entry.reason;
  const quote = entry.reason === 'no_answer' ? '' : entry.reason;
  return { at, order, name, key: `history.${asked ? 'asked' : kind}`, values, quote, kind, part: entry.mutex.part };
}

function saved({ version, by, at }) {
  return { at, order: Infinity, name: by, key: 'history.saved', values: { name: by, version: String(version) }, kind: 'saved' };
}

function draw({ at, name, key, values, quote, kind, part }) {
  const shown = { ...values };
  for (const part of ['name', 'other']) if (shown[part]) shown[part] = person(shown[part]);
  const line = element('li', {}, badge(name), element('span', { className: 'what' }, ...nodes(key, shown)), time(at));
  line.dataset.kind = kind;
  if (part) line.querySelector('.what').append(` · ${text(`part.${part}`)}`);
  if (quote) line.append(element('q', {}, bdi(quote)));
  return line;
}
