// The fields of a form, as texts by name: controls, and editors, which are
// elements that can be edited as a whole.

/** @typedef {HTMLInputElement & HTMLTextAreaElement} Control */

/** @type {WeakMap<Element, string>} of editors, which seldom have one of their own */
const names = new WeakMap();

/** @param {Element} e */
export const nameOf = (e) => names.get(e) ?? (e.getAttribute('name') || e.id);

/** @param {Element} e */
export const isEditor = (e) => !('value' in e);

/**
 * called names editors that have no name by what is around them.
 * @param {Control[]} fields
 * @param {Element} host
 */
export function called(fields, host) {
  /** @type {Set<string>} */
  const taken = new Set();
  for (const e of fields) {
    if (!isEditor(e)) continue;
    const around = e.ownerDocument === host.ownerDocument ? e : e.ownerDocument.defaultView?.frameElement;
    let near = e.id && e.localName !== 'body' ? e : around?.closest('[id], [name]');
    if (near && (near === host || near.localName === 'form' || !host.contains(around ?? null))) near = null;
    const own = near && (near.id || near.getAttribute('name')) || 'editor';
    let name = own;
    for (let n = 2; taken.has(name); n++) name = `${own} ${n}`;
    taken.add(name);
    names.set(e, name);
  }
  return fields;
}

/** @param {Control} e */
export function labelOf(e) {
  const frame = e.ownerDocument.defaultView?.frameElement;
  return e.labels?.[0]?.textContent?.trim() || e.getAttribute('aria-label') || isEditor(e) && frame?.getAttribute('title') || nameOf(e);
}

/**
 * valuesOf reads fields as texts by name.
 * @param {Control[]} fields
 */
export function valuesOf(fields) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const e of fields) {
    const name = nameOf(e);
    if (e.type === 'radio') values[name] = e.checked ? e.value : values[name] ?? '';
    else if (e.type === 'checkbox') values[name] = [values[name], e.checked ? e.value : ''].filter(Boolean).join(', ');
    else if (e.localName === 'select') values[name] = [.../** @type {any} */ (e).selectedOptions].map((o) => o.value).join(', ');
    else values[name] = e.value ?? e.innerText.replace(/\n$/, '');
  }
  return values;
}

/**
 * shown is a value as the form shows it: an option by its text.
 * @param {Control | undefined} e
 * @param {string} value
 */
export function shown(e, value) {
  if (e?.localName !== 'select') return value;
  return [.../** @type {any} */ (e).options].find((o) => o.value === value)?.textContent ?? value;
}

/**
 * write puts a text into a field as if it had been typed, so that frameworks
 * and editors notice.
 * @param {Control[]} fields all of one name
 * @param {string} value
 */
export async function write(fields, value) {
  for (const e of fields) {
    if (isEditor(e)) {
      await type(e, value);
      continue;
    }
    if (e.type === 'radio' || e.type === 'checkbox') {
      if (e.checked !== value.split(', ').includes(e.value)) e.click();
    } else if (e.localName === 'select' && /** @type {any} */ (e).multiple) {
      for (const o of /** @type {any} */ (e).options) o.selected = value.split(', ').includes(o.value);
    } else {
      // React puts a property of its own over the element's.
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), 'value')?.set?.call(e, value);
    }
    for (const name of ['input', 'change']) e.dispatchEvent(new Event(name, { bubbles: true }));
  }
}

// Editors have a model of their own, which follows what is typed, and hears of
// focus and selection some time later.
/**
 * @param {HTMLElement} editor
 * @param {string} text
 */
async function type(editor, text) {
  const page = editor.ownerDocument;
  editor.focus();
  page.getSelection()?.selectAllChildren(editor);
  await new Promise((done) => setTimeout(done, 100));
  // Some insert it themselves when they are told, others follow the document.
  const told = new InputEvent('beforeinput', { inputType: 'insertText', data: text, bubbles: true, cancelable: true, composed: true });
  if (editor.dispatchEvent(told) && !page.execCommand('insertText', false, text)) editor.innerText = text;
}
