// Says how many locks are ticked, and lets nothing be done to none.

import { changed } from './live.js';
import { number, say } from './words.js';

const boxes = () => [...document.querySelectorAll('#locks input[name=lock]')];

function count() {
  const all = boxes(), picked = all.filter((box) => box.checked).length;
  const everything = document.getElementById('all')?.checked;
  const text = document.getElementById('picked');
  if (!text) return;
  text.textContent = picked && !everything ? say('picked', { n: number(picked) }) : '';
  for (const button of document.querySelectorAll('.bulk-act')) button.disabled = !picked && !everything;
  const page = document.getElementById('pick-all');
  page.closest('label').hidden = false;
  page.checked = picked > 0 && picked === all.length;
  page.indeterminate = picked > 0 && picked < all.length;
}

export function countPicked() {
  const form = document.getElementById('locks');
  if (!form) return;
  form.addEventListener('change', (event) => {
    if (event.target.id === 'pick-all') for (const box of boxes()) box.checked = event.target.checked;
    count();
  });
  changed(count);
  count();
}
