// Where the fields of an element are: within itself, in the open shadow roots of
// other elements, and in the documents of frames of its origin.

export const ignored = '[data-editlock=ignore], [data-editlock=ignore] *';

/** @typedef {HTMLElement | Document | ShadowRoot} Area */

/**
 * documentOf is what a frame shows; null: it is another origin's.
 * @param {HTMLIFrameElement} frame
 */
export function documentOf(frame) {
  try {
    return frame.contentDocument;
  } catch {
    return null;
  }
}

/**
 * areas are an element, and what is within, at whatever depth.
 * @param {Area} root
 * @returns {Generator<Area, void>}
 */
export function* areas(root) {
  yield root;
  for (const e of root.querySelectorAll('*')) {
    if (e.localName === 'edit-lock') continue; // guards itself
    const inside = e.shadowRoot ?? (e.localName === 'iframe' ? documentOf(/** @type {HTMLIFrameElement} */ (e)) : null);
    if (inside && !e.matches(ignored)) yield* areas(inside);
  }
}

/**
 * sealed are the frames within an area that cannot be looked into.
 * @param {Area} area
 */
export const sealed = (area) => [...area.querySelectorAll('iframe')].filter((f) => !documentOf(f));

/**
 * mayHave tells whether something that came into a page may bring an area.
 * @param {MutationRecord} record
 */
export function mayHave({ addedNodes }) {
  return [...addedNodes].some((n) => n.nodeType === 1 && (/-|^iframe$/.test(/** @type {Element} */ (n).localName) || /** @type {Element} */ (n).querySelector('iframe')));
}
