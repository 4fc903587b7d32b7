// The one dialog: a few words to somebody, or none.

import { element, say, text } from './words.js';

const dialog = document.getElementById('ask');
const area = document.getElementById('ask-text');

// ask resolves to what was written, or null if the reader thought better of
// it. Keys are ask.NAME.title, .hint, .label and .ok.
export function ask(name, { required = false, ...values } = {}) {
  for (const part of ['title', 'hint', 'label', 'ok']) {
    say(document.getElementById(`ask-${part}`), `ask.${name}.${part}`, values);
  }
  area.value = '';
  area.required = required;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener('close', () => done(dialog.returnValue === 'ok' ? area.value.trim() : null), { once: true });
  });
}

// Blanks are no reason.
area.addEventListener('change', () => { area.value = area.value.trim(); });
document.getElementById('ask-cancel').addEventListener('click', () => dialog.close());

// copy puts a text on the clipboard and says so on the button.
export async function copy(button, content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch {
    copyBySelection(content); // no permission, or no secure context
  }
  const label = button.textContent;
  button.textContent = text('kept.copied');
  setTimeout(() => { button.textContent = label; }, 2000);
}

function copyBySelection(content) {
  const holder = element('textarea', { value: content, readOnly: true, className: 'hidden' });
  document.body.append(holder);
  holder.select();
  document.execCommand('copy');
  holder.remove();
}
