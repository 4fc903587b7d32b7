// Brings the parts of this page marked data-part up to a newer copy of it.
// What is the same stays the very same element, so that focus, selection,
// ticks and open menus survive.

import { show } from './times.js';

const source = new WeakMap(); // as the server wrote it, before scripts changed it

function remember(root) {
  for (const part of root.querySelectorAll('[data-part]')) source.set(part, part.outerHTML);
  for (const row of root.querySelectorAll('[data-key]')) source.set(row, row.outerHTML);
}

// adopt must come before any script changes the page.
export function adopt() { remember(document); }

// merge returns whether anything changed. forced replaces menus in use too.
export function merge(newer) {
  remember(newer);
  let changed = false;
  if (document.title !== newer.title) document.title = newer.title;
  const [icon, newIcon] = [document, newer].map((page) => page.querySelector('link[rel=icon]').getAttribute('href'));
  if (icon !== newIcon) document.querySelector('link[rel=icon]').setAttribute('href', newIcon);
  for (const part of document.querySelectorAll('[data-part]')) {
    const other = newer.getElementById(part.id);
    if (!other || source.get(other) === source.get(part)) continue;
    if (part.matches('select') && part === document.activeElement) continue; // it may be open
    if (document.activeElement.type === 'number' && part.contains(document.activeElement)) continue; // a page is being chosen
    const kept = focusOf(part), text = source.get(other);
    const rows = part.dataset.part === 'rows' && bodyOf(part), newRows = bodyOf(other);
    if (rows && newRows && part.children.length === other.children.length) mergeRows(rows, newRows, part, other);
    else replace(part, other);
    source.set(part, text);
    giveFocus(part, kept);
    changed = true;
  }
  return changed;
}

const bodyOf = (part) => part.querySelector('[data-key]')?.parentElement;

function replace(part, other) {
  const chosen = part.matches('select') ? part.value : null;
  part.replaceChildren(...[...other.childNodes].map((n) => document.importNode(n, true)));
  if (chosen !== null) part.value = chosen;
  carry(other, part);
  show(part);
}

// carry moves what is remembered of copied rows to the copies.
function carry(from, to) {
  const copies = to.querySelectorAll('[data-key]');
  from.querySelectorAll('[data-key]').forEach((row, i) => source.set(copies[i], source.get(row)));
}

function mergeRows(rows, newRows, part, other) {
  const old = new Map([...rows.children].map((row) => [row.dataset.key, row]));
  const wanted = [...newRows.children].map((row) => {
    const mine = old.get(row.dataset.key);
    if (mine && source.get(mine) === source.get(row)) return mine;
    const copy = document.importNode(row, true);
    source.set(copy, source.get(row));
    const tick = mine?.querySelector('input[type=checkbox]');
    if (tick?.checked) copy.querySelector('input[type=checkbox]').checked = true;
    show(copy);
    return copy;
  });
  const keep = new Set(wanted);
  for (const row of [...rows.children]) if (!keep.has(row)) row.remove();
  wanted.forEach((row, i) => { if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] ?? null); });
  const head = part.querySelector('thead'), newHead = other.querySelector('thead');
  if (head && head.outerHTML !== newHead.outerHTML) head.replaceWith(document.importNode(newHead, true));
  // What stands beside the rows, such as the way to older ones.
  const list = [...part.children].findIndex((child) => child.contains(rows));
  [...other.children].forEach((child, i) => {
    if (i !== list && child.outerHTML !== part.children[i].outerHTML) part.children[i].replaceWith(document.importNode(child, true));
  });
}

// focusOf tells how to find again what has the focus.
function focusOf(part) {
  const at = document.activeElement;
  if (!at || at === document.body || !part.contains(at)) return null;
  const key = at.closest('[data-key]')?.dataset.key;
  const place = key && [...at.closest('[data-key]').querySelectorAll('a, button, input')].indexOf(at);
  return { id: at.id, key, place, element: at };
}

function giveFocus(part, kept) {
  if (!kept || kept.element.isConnected) return;
  const row = kept.key && [...part.querySelectorAll('[data-key]')].find((r) => r.dataset.key === kept.key);
  const target = kept.id ? document.getElementById(kept.id) : row?.querySelectorAll('a, button, input')[kept.place];
  if (target) target.focus({ preventScroll: true });
  else { // it is gone: the focus is where it was
    if (!part.hasAttribute('tabindex')) part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }
}
