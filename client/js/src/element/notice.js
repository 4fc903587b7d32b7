// Tells a holder who looks elsewhere that somebody waits: by a number before
// the page's title and, if the page asks for them, a dot on its icon and a
// notification of the desktop. All elements of a page share title and icon.

/** @import { Waiter } from '../types.js' */

/** @typedef {Pick<Waiter, 'id' | 'owner'> & {message?: string}} Waits a waiter for this lock, or for something above it */

/** @type {Set<Notice>} those of this page that tell something */
const telling = new Set();

const looking = () => !document.hidden && document.hasFocus();

// The space is none that people type, so that a number of the page's own is
// not taken for this one.
/** @param {number} n */
const numbered = (n) => n ? `(${n})\u2002` : '';
let prefix = '';
/** @type {MutationObserver | undefined} */
let titles;

/** @param {number} n */
function title(n) {
  const bare = document.title.startsWith(prefix) ? document.title.slice(prefix.length) : document.title;
  titles?.disconnect();
  prefix = numbered(n);
  if (document.title !== prefix + bare) document.title = prefix + bare;
  if (!n) return;
  // A page may say another title meanwhile.
  titles ??= new MutationObserver(() => { if (!document.title.startsWith(prefix)) draw(); });
  titles.observe(document.head, { subtree: true, childList: true, characterData: true });
}

/** @type {Map<Element, string> | null} the icons' addresses without a dot */
let icons = null;

/** @param {boolean} on */
async function dot(on) {
  if (on === (icons !== null)) return;
  if (!on) {
    for (const [link, href] of icons ?? []) link.setAttribute('href', href);
    icons = null;
    return;
  }
  /** @type {Element[]} */
  let links = [...document.querySelectorAll('link[rel~=icon]')];
  if (!links.length) {
    const link = Object.assign(document.createElement('link'), { rel: 'icon', href: '/favicon.ico' });
    document.head.append(link);
    links = [link];
  }
  const before = icons = new Map(links.map((link) => [link, link.getAttribute('href') ?? '']));
  const image = await import('./icon.js').then((m) => m.dotted(/** @type {HTMLLinkElement} */ (links[links.length - 1]).href), () => ''); // without it, no dot
  if (image && icons === before) for (const link of links) link.setAttribute('href', image);
}

function draw() {
  let inTitle = 0, inIcon = 0;
  for (const { unseen, ways } of telling) {
    if (ways.includes('title')) inTitle += unseen.size;
    if (ways.includes('icon')) inIcon += unseen.size;
  }
  title(inTitle);
  dot(inIcon > 0);
}

/** What one element has to tell. */
export class Notice {
  /** Of title, icon and desktop. */
  ways = ['title'];
  /** @type {Set<string>} who waits since the reader looked away */
  unseen = new Set();
  /** @type {Set<string>} */
  #known = new Set();
  /** @type {Map<string, Notification>} */
  #shown = new Map();
  #sentence;
  #looked = () => { if (looking()) this.#see(); };

  /** @param {(waiter: Waits, title: string) => {title: string, body: string, lang: string}} sentence the notice about a waiter */
  constructor(sentence) {
    this.#sentence = sentence;
    addEventListener('focus', this.#looked);
    document.addEventListener('visibilitychange', this.#looked);
  }

  /** Whether the reader could still be asked for notifications of the desktop. */
  get mayAsk() { return this.ways.includes('desktop') && globalThis.Notification?.permission === 'default'; }

  /**
   * tell takes who waits for this reader now.
   * @param {Waits[]} waiters
   */
  tell(waiters) {
    const ids = new Set(waiters.map((w) => w.id));
    for (const id of this.#known) if (!ids.has(id)) this.#end(id);
    for (const w of waiters) {
      if (this.#known.has(w.id)) continue;
      this.#known.add(w.id);
      if (looking()) continue;
      this.unseen.add(w.id);
      this.#notify(w);
    }
    this.#draw();
  }

  stop() {
    removeEventListener('focus', this.#looked);
    document.removeEventListener('visibilitychange', this.#looked);
    this.tell([]);
  }

  #see() {
    for (const id of [...this.unseen, ...this.#shown.keys()]) this.#end(id, true);
    this.#draw();
  }

  /**
   * @param {string} id
   * @param {boolean} [waits] still
   */
  #end(id, waits = false) {
    if (!waits) this.#known.delete(id);
    this.unseen.delete(id);
    this.#shown.get(id)?.close();
    this.#shown.delete(id);
  }

  #draw() {
    if (this.unseen.size) telling.add(this);
    else if (!telling.delete(this)) return;
    draw();
  }

  /** @param {Waits} waiter */
  #notify(waiter) {
    if (!this.ways.includes('desktop') || globalThis.Notification?.permission !== 'granted') return;
    const { title: head, ...rest } = this.#sentence(waiter, document.title.slice(document.title.startsWith(prefix) ? prefix.length : 0));
    try {
      const shown = new Notification(head, { ...rest, tag: `editlock ${waiter.id}` });
      shown.onclick = () => focus();
      this.#shown.set(waiter.id, shown);
    } catch { /* on phones only service workers may */ }
  }
}
