// <edit-lock>: one person at a time edits what it wraps, or several read it. See README.md.

import { Editlock } from './index.js';
import { isEditor, labelOf, nameOf, shown, valuesOf, write } from './element/fields.js';
import { Guard } from './element/guard.js';
import { label, Speech } from './element/dom.js';
import { Kept } from './element/kept.js';
import { Notice } from './element/notice.js';
import { heldSince } from './element/past.js';
import { style } from './element/style.js';
import { View } from './element/view.js';

/** @import { Lock, Owner, Problem, State } from './index.js' */
/** @import { Company } from './presence.js' */
/** @import { Versions } from './element/version.js' */

const what = ['server', 'group', 'mode', 'object', 'object-part'];
const who = ['session', 'user', 'login', 'name'];

/** @type {Map<string, Editlock>} one client, and so one beat, for all elements of a page, by server and reader */
const clients = new Map();

/** @type {State[]} in which nobody's typing is in doubt */
const settled = ['mine', 'other', 'self', 'free', 'lost', 'waiting'];

// Frameworks show what they are told a little later; a hidden page has no
// frames.
const shownByNow = () => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(done));
  setTimeout(done, 200);
});

/** @param {any} e @param {string} name */
const early = (e, name) => e[name] ?? null;

// A server that renders pages imports this file too, and knows no elements.
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

/**
 * Attributes: object names what is edited (required), with group and mode, and object-part
 * a part of it; server
 * is the address of editlock ("/"); user, login, name and session say who the
 * reader is; idle ("300s"), max-hold, grant-after and inactive-after ("15m") are the
 * terms; sharing="shared" only reads, beside others who do, and keeps all of them from
 * being surprised by a change; manual waits for the reader to begin; token-field names a hidden field
 * that carries the token of a form sent without scripts; notify says how a holder
 * who looks elsewhere is told of who waits: "title" (the default), "icon" and "desktop",
 * or "off"; presence shows who else looks; version is that of the record as the page shows it.
 *
 * Fires "editlock-change" whenever its state, or what else it tells, changes, and
 * "edit-lock-changed" if a save is refused as the record changed past the lock.
 */
export class EditLockElement extends Base {
  static observedAttributes = [...what, ...who, 'sharing', 'lang', 'version'];

  // A page may set these before this script has come.

  /**
   * Gets the newest stored text, and returns what puts it into the form, which
   * is not called if it has become too late for that. Without reload, the page
   * is loaded again when what it shows may be old.
   * @type {(() => Promise<() => void>) | null}
   */
  reload = early(this, 'reload');
  /** @type {(() => boolean | Promise<boolean>) | null} whether the page still shows the newest text, after a break */
  unchanged = early(this, 'unchanged');
  /** @type {(() => boolean | Promise<boolean>) | null} saves; for "Save and hand over" */
  save = early(this, 'save');
  /** @type {((name: string, text: string) => void) | null} puts a kept text, that typed told of, into an editor */
  restore = early(this, 'restore');
  /** @type {Editlock | null} to be set before the element is in a page; default: one per server and reader */
  client = early(this, 'client');

  /** @type {Lock | null} */
  #lock = null;
  #guard = new Guard(this, {
    may: () => this.editable && (this.#lock?.sure() ?? false),
    begins: () => this.#begins(),
    typed: () => this.#typed(),
    active: () => this.client?.active(),
  });
  /** @type {View | null} */
  #view = null;
  /** @type {Kept | null} */
  #kept = null;
  /** @type {Notice | null} */
  #notice = null;
  /** @type {Company | null} */
  #company = null;
  /** @type {Promise<Versions | void> | null} */
  #versions = null;
  /** @type {Record<string, string>} the fields as stored */
  #base = {};
  /** The token whose holder has the newest text on the screen. */
  #loadedFor = 0;
  #loading = 0; // the token that the newest text is under way for
  #loads = 0;
  #loaded = 0; // when the text in the form was asked for, of performance.now()
  #seenToken = 0;
  /** @type {State} */
  #before = 'closed';
  #dirty = false;
  /** @type {Record<string, string>} what typed told */
  #told = {};
  #stale = false; // an editor shows text that was left behind
  #atRisk = false;
  #starting = false;
  /** @type {Lock | null} held otherwise than asked for: it is given back, and asked for again */
  #again = null;
  #stop = new AbortController();

  constructor() {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [style];
  }

  connectedCallback() { this.#restart(); }

  disconnectedCallback() { this.#restart(); }

  attributeChangedCallback() { if (this.#lock) this.#restart(); }

  // A move in the page is a removal and an insertion at once, and frameworks
  // set attributes one by one: what counts is what stands when they are done.
  #restart() {
    if (this.#starting) return;
    this.#starting = true;
    queueMicrotask(() => {
      this.#starting = false;
      const same = this.#lock && this.isConnected && this.#signature === this.#sign();
      if (same) return this.#follow();
      // What one reader typed is not another's.
      if (this.isConnected && this.#signature.startsWith(this.#object()) && this.#kept?.leave()) this.#revert();
      this.#close();
      if (this.isConnected && this.getAttribute('object')) this.#open();
    });
  }

  #signature = '';
  #sign() { return `${this.#object()}\n${this.getAttribute('sharing')}\n${this.getAttribute('lang')}\n${JSON.stringify(this.#owner())}`; }

  #object() { return JSON.stringify(what.map((name) => this.getAttribute(name))); }

  /** @returns {Partial<Owner>} */
  #owner() {
    /** @param {string} name */
    const of = (name) => this.getAttribute(name)?.trim() && this.getAttribute(name) || undefined; // blanks are no name
    return { session: of('session'), user_id: of('user'), login: of('login'), name: of('name') };
  }

  /** @type {Editlock | null} */
  #shared = null; // which is no choice of the page's

  #connect() {
    if (this.client && this.client !== this.#shared) return this.client;
    const server = this.getAttribute('server') ?? '/', owner = this.#owner(), key = JSON.stringify([server, owner]);
    const client = this.#shared = clients.get(key) ?? new Editlock({ server, owner });
    clients.set(key, client);
    return client;
  }

  #open() {
    this.#signature = this.#sign();
    const client = this.client = this.#connect();
    /** @param {string} name */
    const of = (name) => this.getAttribute(name) ?? undefined;
    const mutex = { group: of('group') ?? '', mode: of('mode') ?? '', id: of('object') ?? '', part: of('object-part') };
    const lock = this.#lock = client.lock(mutex, {
      idle: of('idle'), maxHold: of('max-hold'), grantAfter: of('grant-after'), inactiveAfter: of('inactive-after'),
      sharing: /** @type {'shared' | undefined} */ (of('sharing')), unchanged: () => this.unchanged?.() ?? true,
    });
    const kept = this.#kept = new Kept([client.owner.user_id || client.owner.session, ...Object.values(lock.mutex)].map(encodeURIComponent).join('/'));
    const lang = this.closest('[lang]')?.getAttribute('lang') || navigator.language;
    const speech = new Speech(lang, (at) => client.date(at));
    this.#notice = new Notice((waiter, title) => ({
      title: speech.text('notice.title', { name: label(waiter.owner) }), body: waiter.message || title, lang: speech.lang,
    }));
    this.#view = new View(/** @type {ShadowRoot} */ (this.shadowRoot), speech, {
      edit: () => lock.open(), retry: () => lock.open(), leave: () => lock.stopWaiting(),
      stop: async () => {
        await lock.release();
        lock.peek();
      },
      continue: () => lock.takeOver(speech.text('continue.reason')),
      // A holder of something above sees no message.
      wait: () => lock.holder && !lock.names(lock.holder.mutex) && (mutex.part || lock.holder.mutex.below) ? lock.wait() : this.#ask('wait', (message) => lock.wait(message)),
      take: () => lock.takeOver(speech.text('take.reason')),
      takeover: () => this.#ask('takeover', (reason, seen) => reason && lock.takeOver(reason, seen)),
      decline: async (w) => {
        const message = await this.#view?.ask('decline', w.owner);
        if (typeof message === 'string') lock.decline(w.id, message);
      },
      notify: async () => {
        await Notification.requestPermission();
        this.#show();
      },
      handOver: async () => { if (!this.unsaved || !this.save || await this.save()) lock.handOver(); },
      restore: () => this.#restore(),
      discard: () => {
        this.#atRisk = false;
        kept.discard();
      },
      copied: () => { this.#atRisk = false; },
      show: () => this.#show(),
    });
    if (this.hasAttribute('presence')) {
      import('./presence.js').then((m) => {
        if (lock !== this.#lock) return;
        this.#company = new m.Company(client, mutex, /** @type {ShadowRoot} */ (this.shadowRoot), speech);
        this.#show();
      }, () => {}); // the lock does without
    }
    this.#follow();
    this.#stop = new AbortController();
    const on = { signal: this.#stop.signal };
    this.addEventListener('input', () => this.#typed(), on);
    this.addEventListener('change', () => this.#typed(), on);
    addEventListener('beforeunload', (e) => { if (this.#atRisk) e.preventDefault(); }, on);
    // Browsers restore typed text into the next page's form, as if it were stored.
    addEventListener('pagehide', (e) => { if (!e.persisted) for (const { form } of this.#fields) form?.reset(); }, on);
    kept.addEventListener('change', () => this.#show(), on);
    lock.addEventListener('change', () => this.#changed(), on);
    this.#base = this.#read();
    // What came with the page is as old as the request for it.
    this.#loaded = document.readyState === 'complete' ? performance.now() : 0;
    this.#guard.start();
    this.#before = 'closed';
    const form = lock.mutex.part && this.closest('form'), manual = this.hasAttribute('manual');
    if (form) import('./sections.js').then((m) => { if (lock === this.#lock) m.join(this, form, on.signal); }, () => { if (!manual) lock.open(); });
    if (form || manual) lock.peek();
    else lock.open();
    this.#changed();
  }

  #close() {
    if (!this.#lock) return;
    this.#stop.abort();
    this.#kept?.leave();
    this.#kept?.stop();
    this.#notice?.stop();
    this.#company?.stop();
    this.#versions?.then((v) => v?.stop());
    this.#company = this.#versions = null;
    this.#lock.release();
    this.#guard.stop();
    this.#lock = null;
    this.#atRisk = false;
    this.#setToken();
  }

  /**
   * @param {'wait' | 'takeover'} about
   * @param {(text: string, seen: number) => void} then
   */
  async #ask(about, then) {
    const { holder } = this.#lock ?? {};
    const text = holder && await this.#view?.ask(about, holder.owner, holder.sharing === 'shared');
    if (holder && typeof text === 'string') then(text, holder.token);
  }

  // --- what the page may ask

  /** The lock itself; null while the element is not in a page. */
  get lock() { return this.#lock; }

  /** @returns {State} */
  get state() { return this.#lock?.state ?? 'closed'; }

  /** Whether the reader may type: the lock is held, not shared with others, and the newest text loaded. */
  get editable() { return this.#ready && this.#lock?.holder?.sharing !== 'shared'; }

  get #ready() { return this.state === 'mine' && this.#loadedFor === this.#lock?.token; }

  get #reads() { return this.getAttribute('sharing') === 'shared'; }

  /** What a save must carry. @returns {Record<string, string>} */
  get headers() {
    const { version } = this;
    return { ...this.#lock?.headers, ...version && { 'If-Match': `"${encodeURIComponent(version)}"` } };
  }

  /** The version of the record that the page shows. */
  get version() { return this.getAttribute('version'); }

  set version(version) { this.setAttribute('version', version ?? ''); }

  /**
   * send saves by fetch, with headers, one save at a time, and goes on with the version of the answer.
   * @param {Parameters<Versions['send']>} what a body that is a function is made when it is sent
   * @returns {Promise<Response>}
   */
  send(...what) { return this.#ofVersions().then((v) => /** @type {Versions} */ (v).send(...what)); }

  #ofVersions() {
    return this.#versions ??= import('./element/version.js').then((m) => new m.Versions(this, () => this.#read(), () => {
      this.#leave('mine');
      this.#stale = true;
      this.#loadedFor = 0;
      this.refresh();
    }), () => {}); // the server refuses all the same
  }

  #follow() { if (this.version) this.#ofVersions().then((v) => v?.follow()); }

  /** Whether the form has text that is not stored. */
  get unsaved() { return this.#dirty; }

  /** saved tells that what the form says is stored now, or that these fields are; and as which version. */
  saved(fields = this.#read(), version = '') {
    if (version) this.version = version;
    this.#base = fields;
    this.#typed();
  }

  /**
   * refused takes the server's problem that a save was refused with.
   * @param {Problem} problem
   */
  refused(problem) {
    if (problem.code === 'lost') this.#lock?.ended(problem);
    else if (problem.code === 'changed' && this.#versions) this.#versions.then((v) => v?.refused(problem));
    else if (this.#kept?.leave()) this.#show();
  }

  // --- the text

  /**
   * typed tells that the reader types where the element sees nothing: in a
   * frame of another origin, on a canvas. Texts, by names, are kept like others.
   * @param {Record<string, string>} [texts]
   */
  typed(texts = {}) {
    if (!this.editable) return;
    this.client?.active();
    Object.assign(this.#told, texts);
    this.#typed();
  }

  get #fields() { return this.#guard.fields; }

  #read() { return { ...valuesOf(this.#fields), ...this.#told }; }

  // Editors get their text some time after the page: it is the stored one
  // until the first change.
  #begins() {
    const known = this.#dirty ? this.#base : {};
    Object.assign(this.#base, valuesOf(this.#fields.filter((f) => isEditor(f) && !(nameOf(f) in known))));
  }

  #typed() {
    if (!this.editable) return;
    const now = this.#read();
    const unsaved = Object.entries(now).filter(([name, value]) => value !== this.#base[name]);
    this.#dirty = unsaved.length > 0;
    this.#kept?.draft(Object.fromEntries(unsaved));
    this.#show();
  }

  /** refresh shows the newest text, unless somebody types here. */
  async refresh() {
    const lock = this.#lock, token = lock?.token ?? 0;
    if (!lock || !settled.includes(lock.state) || token && (token === this.#loadedFor || token === this.#loading)) return;
    this.#loading = token;
    const turn = ++this.#loads;
    const current = () => lock === this.#lock && token === lock.token && turn === this.#loads && settled.includes(lock.state);
    try {
      if (this.reload) {
        const asked = performance.now(), put = await this.reload();
        if (!current()) return;
        put();
        this.#told = {};
        await shownByNow();
        if (!current()) return;
        this.#stale = false;
        this.#base = this.#read();
        this.#loaded = asked;
      } else if (token && (this.#stale || lock.note !== 'kept' && await this.#old(lock))) {
        await this.#kept?.written();
        if (!current()) return;
        // What is stored needs no question about leaving the page.
        if (this.#kept?.safe !== false) this.#atRisk = false;
        return this.client?.reload();
      }
    } catch {
      if (token && current()) setTimeout(() => this.refresh(), 1000);
      return;
    } finally {
      if (turn === this.#loads) this.#loading = 0;
    }
    if (!current()) return;
    this.#loadedFor = token;
    this.#dirty = false;
    if (!this.#stale) this.#kept?.compare(this.#read());
    this.#show();
  }

  // Where nobody may tell, the page itself may; else it is taken for old.
  /** @param {Lock} lock */
  async #old(lock) {
    return await heldSince(lock, /** @type {Editlock} */ (this.client).api, this.#loaded) ?? !await this.unchanged?.();
  }

  async #restore() {
    const left = this.#kept?.left?.fields ?? {}, fields = this.#fields;
    this.#atRisk = false;
    this.#kept?.discard();
    for (const [name, value] of Object.entries(left)) {
      const named = fields.filter((f) => nameOf(f) === name);
      if (named.length) await write(named, value);
      else this.restore?.(name, value);
    }
    this.#typed();
    fields.find((f) => nameOf(f) in left)?.focus();
  }

  // --- the lock

  #changed() {
    const lock = this.#lock;
    if (!lock || lock === this.#again) return;
    const { state } = lock, before = this.#before;
    if (state === 'mine' && !lock.holder?.limit && this.#reads !== (lock.holder?.sharing === 'shared')) return void this.#askAgain(lock);
    const began = state === 'mine' && lock.token !== this.#loadedFor;
    if (state !== before || began) {
      this.#before = state;
      if (began && lock.note === 'back') this.#loadedFor = lock.token; // the text in the form is still the newest
      else if (began || ['other', 'free', 'waiting', 'lost', 'closed'].includes(state)) this.#leave(state);
    }
    const token = lock.holder?.token ?? 0, moved = token !== this.#seenToken;
    this.#seenToken = token;
    if (state !== before || began || moved) this.refresh();
    this.#show();
  }

  // A takeover keeps the sharing of the hold in whose place it is, and a page that
  // is loaded again that of the page before.
  /** @param {Lock} lock */
  async #askAgain(lock) {
    this.#again = lock;
    await lock.release();
    this.#again = null;
    if (lock === this.#lock) lock.open();
  }

  /** @param {State} state */
  #leave(state) {
    const left = this.#kept?.leave();
    this.#dirty = false;
    if (!left) return;
    if (state === 'lost') this.#atRisk = true;
    if (this.reload) return;
    this.#revert(); // nobody else will
  }

  // Puts the stored text where this reader typed. What an editor makes of text
  // is its own: for its sake the page is loaded again before the next hold.
  #revert() {
    const fields = this.#fields, now = this.#read();
    for (const name of Object.keys(now)) {
      const named = fields.filter((f) => nameOf(f) === name);
      if (now[name] === this.#base[name]) continue;
      if (named.some(isEditor) || !named.length) this.#stale = true;
      else if (name in this.#base) write(named, this.#base[name]);
    }
    this.#told = {};
  }

  #show() {
    const lock = this.#lock, view = this.#view, notice = this.#notice, left = this.#kept?.left ?? null;
    if (!lock || !view || !notice || !this.client) return;
    this.#guard.set(this.editable);
    this.#guard.wake();
    notice.ways = (this.getAttribute('notify') ?? 'title').split(/\s+/);
    const { waiters = [], draining } = lock.state === 'mine' && lock.holder || {};
    notice.tell(draining ? [...waiters, { ...draining, id: draining.since, owner: draining.by }] : waiters);
    // What passes at once when the reader goes from part to part is not shown.
    if (!lock.mutex.part || !/opening|closed/.test(lock.state)) view.banner(lock, this.client.owner, {
      left: left !== null, manual: this.hasAttribute('manual'), notify: notice.mayAsk, unsafe: this.#kept?.unsafe ?? false, reads: this.#reads,
    });
    view.waiters(lock, this.#dirty && this.save !== null);
    this.#company?.show(lock, this.#dirty);
    const fields = this.#fields;
    view.kept(left, { writable: this.editable, safe: this.#kept?.safe ?? null }, (name, value) => {
      const field = fields.find((f) => nameOf(f) === name);
      const stored = this.#dirty ? this.#base[name] ?? '' : valuesOf(fields.filter((f) => nameOf(f) === name))[name] ?? '';
      return { label: field ? labelOf(field) : name, mine: shown(field, value), stored: shown(field, stored) };
    });
    this.setAttribute('state', this.state === 'mine' && !this.#ready ? 'opening' : this.state);
    this.#setToken();
    this.dispatchEvent(new Event('editlock-change', { bubbles: true }));
  }

  // A form that is sent without scripts carries the token in a field.
  #setToken() {
    const name = this.getAttribute('token-field'), token = this.#lock?.token;
    if (!name) return;
    for (const form of this.querySelectorAll('form')) {
      let field = /** @type {HTMLInputElement | null} */ (form.querySelector(`input[name="${CSS.escape(name)}"]`));
      if (!field) {
        field = Object.assign(document.createElement('input'), { type: 'hidden', name });
        form.append(field);
      }
      field.value = token ? String(token) : '';
    }
  }
}

if (!globalThis.customElements?.get('edit-lock')) globalThis.customElements?.define('edit-lock', EditLockElement);
