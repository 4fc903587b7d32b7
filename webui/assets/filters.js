// Filters while one types, and remembers the filter in the address.

import { load } from './live.js';
import { say } from './words.js';

const wait = 150; // after the last keystroke

// show brings the page to another part or order of the list.
async function show(address) {
  history.replaceState(null, '', address);
  const table = document.getElementById('table');
  const slow = setTimeout(() => table.setAttribute('aria-busy', 'true'), 200);
  const shown = await load(address);
  clearTimeout(slow);
  table.removeAttribute('aria-busy');
  if (!shown) return;
  const found = document.querySelector('#counts dd').textContent;
  document.getElementById('say').textContent = say('found', { n: found });
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
    timer = setTimeout(apply, event.target.type === 'search' ? wait : 0);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    apply();
  });
}
