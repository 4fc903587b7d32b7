// Unfolds branches of the tree in place, so that the focus stays where it is: by a
// click, or as trees do, by the arrows to the right and to the left.

import { load } from './live.js';

async function show(address) {
  const tree = document.getElementById('tree');
  history.replaceState(null, '', address);
  const slow = setTimeout(() => tree.setAttribute('aria-busy', 'true'), 200);
  await load(address);
  clearTimeout(slow);
  tree.removeAttribute('aria-busy');
}

export function unfoldInPlace() {
  const tree = document.getElementById('tree');
  if (!tree) return;
  tree.addEventListener('click', (event) => {
    const link = event.target.closest('a.fold, .pager a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(link.href);
  });
  tree.addEventListener('keydown', (event) => {
    const link = event.target.closest('a.fold');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const open = link.getAttribute('aria-expanded') === 'true';
    const way = { ArrowRight: 'in', ArrowLeft: 'out' }[event.key];
    if (!way) return;
    event.preventDefault();
    const branch = link.closest('li');
    if ((way === 'in') !== open) show(link.href);
    else if (open) branch.querySelector(':scope > ul a')?.focus();
    else branch.parentElement.closest('li')?.querySelector('a.fold')?.focus();
  });
}
