// Filters while one types, and remembers the filter in the address.

import { load } from './live.js';
import { number, say } from './words.js';

// How long after the last keystroke, in ms, where the form does not say so.
const wait = 150;

// show brings the page to another part or order of the list.
async function show(address) {
  history.replaceState(null, '', address);
  const table = document.getElementById('table') ?? document.getElementById('entries');
  const slow = setTimeout(() => table.setAttribute('aria-busy', 'true'), 200);
  const shown = await load(address);
  clearTimeout(slow);
  table.removeAttribute('aria-busy');
  if (!shown) return;
  const found = document.querySelector('#counts dd')?.textContent;
  const told = found === undefined ? say('shown', { n: number(table.querySelectorAll('[data-key]').length) }) : say('found', { n: found });
  document.getElementById('say').textContent = told;
}

// midnight is the beginning of a day in the reader's time zone.
function midnight(day) {
  const minutes = -new Date(`${day}T00:00:00`).getTimezoneOffset(), pad = (n) => String(Math.floor(n)).padStart(2, '0');
  return `${day}T00:00:00${minutes < 0 ? '-' : '+'}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}`;
}

// daysOfReader makes days those of the reader's time zone.
export function daysOfReader() {
  for (const utc of document.querySelectorAll('.utc')) utc.hidden = true;
  document.getElementById('filters')?.addEventListener('formdata', ({ formData }) => {
    for (const name of ['from', 'to']) if (formData.get(name)) formData.set(name, midnight(formData.get(name)));
  });
}

// sortByClick orders the table in place, so that the focus stays on its heading.
export function sortByClick() {
  document.getElementById('table')?.addEventListener('click', (event) => {
    const link = event.target.closest('a.sort');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    document.getElementById('sort').value = new URL(link.href).searchParams.get('sort') ?? '';
    show(link.href);
  });
}

// searchByKey focuses the search by "/", unless it is typed somewhere.
export function searchByKey() {
  const search = document.getElementById('q');
  if (!search) return;
  document.getElementById('key').hidden = false;
  search.setAttribute('aria-keyshortcuts', '/');
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input:not([type=checkbox]), select, textarea')) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
}

export function filterWhileTyping() {
  const form = document.getElementById('filters');
  if (!form) return;
  form.querySelector('.apply').hidden = true;
  let timer;
  const apply = async () => {
    clearTimeout(timer);
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
    const here = form.getAttribute('action');
    await show(query.size ? `${here}?${query}` : here);
  };
  form.addEventListener('input', (event) => {
    clearTimeout(timer);
    timer = setTimeout(apply, event.target.matches('select, [type=checkbox]') ? 0 : Number(form.dataset.wait ?? wait));
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    apply();
  });
}
