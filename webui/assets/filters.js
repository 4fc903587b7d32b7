// Filters while one types, and remembers the filter in the address.

import { load } from './live.js';
import { say } from './words.js';

const wait = 150; // after the last keystroke

export function filterWhileTyping() {
  const form = document.getElementById('filters');
  if (!form) return;
  form.querySelector('.apply').hidden = true;
  let timer;
  const apply = async () => {
    clearTimeout(timer);
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
    const address = query.size ? `?${query}` : './';
    history.replaceState(null, '', address);
    const table = document.getElementById('table');
    const slow = setTimeout(() => table.setAttribute('aria-busy', 'true'), 200);
    const shown = await load(address);
    clearTimeout(slow);
    table.removeAttribute('aria-busy');
    if (shown) {
      const found = document.querySelector('#counts dd').textContent;
      document.getElementById('say').textContent = say('found', { n: found });
    }
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
