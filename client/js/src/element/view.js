// What the element shows around the page's form. It decides nothing.

import { describe } from './describe.js';
import { badge, bdi, element, label, put } from './dom.js';

/** @import { Lock } from '../lock.js' */
/** @import { Owner, Waiter } from '../types.js' */
/** @import { Offer, Page, Sentence } from './describe.js' */
/** @import { Speech } from './dom.js' */
/** @import { Text } from './shelf.js' */

/** @type {typeof import('./diff.js').diff | undefined} loaded once a text was left behind; without it, nothing is marked */
let diff;

const shownWaiters = 5;
/** So many characters of a text are shown; all are copied, downloaded and restored. */
const shownLength = 20_000;

/** @param {string} text */
const cut = (text) => text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;

/**
 * What the reader asks for.
 * @typedef {Record<Offer, () => void> & {
 *   decline: (waiter: Waiter) => void, handOver: () => void,
 *   restore: () => void, discard: () => void, copied: () => void, show: () => void,
 * }} Acts
 */

export class View {
  #speech;
  #acts;
  #e;
  #root;
  /** @type {(() => void) | null} */
  #asked = null;

  /**
   * @param {ShadowRoot} root
   * @param {Speech} speech
   * @param {Acts} acts
   */
  constructor(root, speech, acts) {
    this.#root = root;
    this.#speech = speech;
    this.#acts = acts;
    const t = (/** @type {string} */ key) => speech.text(key);
    const e = this.#e = {
      face: element('span', { id: 'face', 'aria-hidden': 'true' }),
      headline: element('p', { id: 'headline', part: 'headline' }),
      detail: element('p', { id: 'detail', part: 'detail' }),
      status: element('div', { id: 'status', role: 'status', 'aria-live': 'polite' }),
      actions: element('div', { id: 'actions', className: 'actions' }),
      banner: element('section', { id: 'banner', part: 'banner', tabindex: '-1', 'aria-label': t('banner.label') }),
      pass: this.#button('waiters.handover', () => acts.handOver(), { id: 'hand-over' }),
      list: element('ol', { id: 'waiters-list' }),
      waiters: element('section', { id: 'waiters', part: 'waiters', 'aria-labelledby': 'waiters-title', hidden: true }),
      since: element('p'),
      fields: element('dl'),
      restore: this.#button('kept.restore', () => acts.restore()),
      download: this.#button('kept.download', () => this.#download()),
      kept: element('section', { id: 'kept', part: 'kept', 'aria-labelledby': 'kept-title', hidden: true }),
      dialog: element('dialog', { part: 'dialog', 'aria-labelledby': 'ask-title' }),
      title: element('h2', { id: 'ask-title' }), hint: element('p'), label: element('label', { htmlFor: 'ask-text' }),
      area: element('textarea', { id: 'ask-text', rows: 3, maxLength: 250 }),
      ok: element('button', { className: 'primary', value: 'ok' }),
    };
    e.status.append(e.headline, e.detail);
    e.banner.append(e.face, e.status, e.actions);
    e.waiters.append(element('header', {}, element('h2', { id: 'waiters-title' }, t('waiters.title')), e.pass), e.list);
    /** @type {Record<string, string>} */
    this.values = {};
    e.kept.append(element('h2', { id: 'kept-title' }, t('kept.title')), e.since, e.fields, element('div', { className: 'actions' },
      e.restore, e.download, this.#button('kept.copyall', (b) => this.#copy(b, Object.values(this.values).join('\n\n'))),
      this.#button('kept.discard', () => {
        acts.discard();
        e.banner.focus();
      }, { className: 'quiet' })));
    const form = element('form', { method: 'dialog' }, e.title, e.hint, e.label, e.area, element('div', { className: 'actions' },
      e.ok, this.#button('ask.cancel', () => e.dialog.close())));
    e.dialog.append(form);
    e.area.addEventListener('change', () => { e.area.value = e.area.value.trim(); }); // blanks are no reason
    e.dialog.addEventListener('close', () => e.dialog.open || this.#asked?.()); // it may have been opened again by then
    root.replaceChildren(e.banner, e.waiters, e.kept, element('slot'), e.dialog);
  }

  /**
   * @param {string} key
   * @param {(button: HTMLButtonElement) => void} act
   * @param {Record<string, any>} [properties]
   */
  #button(key, act, properties = {}) {
    const b = element('button', { type: 'button', part: `button ${key.split('.')[1]}`, textContent: this.#speech.text(key), ...properties });
    b.onclick = () => act(b);
    return b;
  }

  /** @param {Sentence} sentence */
  #nodes([key, values]) { return this.#speech.nodes(key, values); }

  /** @param {Sentence[]} sentences */
  #sentences(sentences) { return sentences.flatMap((s, i) => [...(i ? [document.createTextNode(' ')] : []), ...this.#nodes(s)]); }

  /**
   * @param {Lock} lock
   * @param {Owner} me
   * @param {Page} page
   */
  banner(lock, me, page) {
    const { face, headline, detail, status, banner } = this.#e;
    const shown = describe(lock, this.#speech, me, page);
    banner.dataset.tone = shown.tone;
    status.setAttribute('aria-live', shown.tone === 'lost' ? 'assertive' : 'polite');
    put(face, shown.who ? [badge(shown.who)] : []);
    put(headline, this.#nodes(shown.headline));
    put(detail, this.#sentences(shown.details));
    this.#offer(shown.offers, page.reads);
  }

  // Buttons that stay are kept, so that focus stays too; a focus whose button
  // goes moves to the banner.
  /**
   * @param {Offer[]} offers
   * @param {boolean} reads
   */
  #offer(offers, reads) {
    const { actions, banner } = this.#e;
    if (actions.dataset.offers === offers.join(' ')) return;
    actions.dataset.offers = offers.join(' ');
    const focused = actions.contains(this.#root.activeElement);
    actions.replaceChildren(...offers.map((name, i) => this.#button(this.#speech.reads(`action.${name}`, reads), () => this.#acts[name](),
      { className: i === 0 && !['leave', 'stop', 'notify'].includes(name) ? 'primary' : '' })));
    if (focused) banner.focus();
  }

  /**
   * waiters draws the queue while the lock is held here.
   * @param {Lock} lock
   * @param {boolean} save whether handing over has something to save first
   */
  waiters(lock, save) {
    const { waiters: panel, list, pass, banner } = this.#e;
    const waiting = lock.state === 'mine' ? lock.holder?.waiting ?? 0 : 0;
    if (!waiting && panel.contains(this.#root.activeElement)) banner.focus();
    panel.hidden = !waiting;
    const text = this.#speech.text(save ? 'waiters.handover.save' : this.#speech.reads('waiters.handover', lock.holder?.sharing === 'shared'));
    if (pass.textContent !== text) pass.textContent = text;
    const waiters = waiting ? lock.holder?.waiters.slice(0, shownWaiters) ?? [] : [];
    const rows = new Map([...list.children].map((row) => [/** @type {HTMLElement} */ (row).dataset.waiter, row]));
    const wanted = waiters.map((w) => rows.get(w.id) ?? this.#waiter(w));
    if (waiting > waiters.length) wanted.push(element('li', { className: 'more' }, this.#speech.text('waiters.more', { count: waiting - waiters.length })));
    if (wanted.length !== list.children.length || wanted.some((row, i) => row !== list.children[i])) list.replaceChildren(...wanted);
  }

  /** @param {Waiter} waiter */
  #waiter(waiter) {
    const speech = this.#speech, name = label(waiter.owner);
    const about = element('span', { className: 'about' }, speech.owner(waiter.owner), ' ', ...speech.nodes('waiters.since', { since: speech.time(waiter.since) }));
    if (waiter.grant_at) about.append(', ', ...speech.nodes('waiters.passes', { at: speech.time(waiter.grant_at) }));
    const answer = this.#button('waiters.decline', () => this.#acts.decline(waiter), { ariaLabel: speech.text('waiters.decline.name', { name }) });
    const row = element('li', { 'data-waiter': waiter.id }, badge(name), about, answer);
    if (waiter.message) about.after(element('q', {}, bdi(waiter.message)));
    return row;
  }

  /**
   * kept draws the text left behind, beside what is stored now.
   * @param {Text | null} left
   * @param {{writable: boolean, safe: boolean | null}} page whether the form can be changed; whether the text is stored
   * @param {(name: string, value: string) => {label: string, mine: string, stored: string}} field
   */
  kept(left, { writable, safe }, field) {
    const { kept, since, fields, restore, download } = this.#e, speech = this.#speech;
    kept.hidden = !left;
    restore.hidden = !writable;
    download.hidden = safe !== false;
    this.values = left?.fields ?? {};
    if (!left) return fields.replaceChildren();
    if (!diff) {
      import('./diff.js').then((m) => {
        diff = m.diff;
        this.#acts.show();
      }, () => {});
    }
    put(since, this.#sentences([['kept.since', { at: speech.time(new Date(left.at)) }], [`kept.safe.${safe}`], .../** @type {Sentence[]} */ (diff ? [['kept.marked']] : [])]));
    const rows = Object.entries(left.fields).map(([name, value]) => {
      const { label: about, mine, stored } = field(name, value);
      return { name, about, mine: cut(mine), stored: cut(stored), same: mine === stored };
    });
    const drawn = JSON.stringify([left.at, rows, !diff]);
    if (fields.dataset.drawn === drawn && fields.children.length) return;
    fields.dataset.drawn = drawn;
    fields.replaceChildren(...rows.map(({ name, about, mine, stored, same }) => {
      const copy = this.#button('kept.copy', (b) => this.#copy(b, left.fields[name]), { className: 'quiet', ariaLabel: speech.text('kept.copy.field', { field: about }) });
      const row = element('div', {}, element('dt', { dir: 'auto' }, about), element('dd', {}, this.#marked(mine, stored), copy));
      if (!same) row.append(element('dd', { className: 'stored' }, element('span', {}, `${speech.text('kept.stored')} `, this.#marked(stored, mine))));
      return row;
    }));
  }

  /**
   * @param {string} text
   * @param {string} other
   */
  #marked(text, other) {
    if (!text) return element('span', {}, this.#speech.text('kept.empty'));
    return element('span', { dir: 'auto' }, ...(diff?.(text, other) ?? [{ text, same: true }]).map((p) => p.same || !p.text.trim() ? p.text : element('mark', {}, p.text)));
  }

  #download() {
    const address = URL.createObjectURL(new Blob([Object.values(this.values).join('\n\n')], { type: 'text/plain' }));
    element('a', { href: address, download: `${this.#speech.text('kept.title')}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    this.#acts.copied();
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {string} text
   */
  async #copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or no secure context
      const holder = element('textarea', { value: text, readOnly: true });
      this.#root.append(holder);
      holder.select();
      document.execCommand('copy');
      holder.remove();
    }
    const label = button.textContent;
    button.textContent = this.#speech.text('kept.copied');
    setTimeout(() => { button.textContent = label; }, 2000);
    this.#acts.copied();
  }

  /**
   * ask resolves to what was written, or null if the reader thought better of it.
   * @param {'wait' | 'takeover' | 'decline'} about
   * @param {Owner} owner of whom
   * @param {boolean} [reads] whether they only read
   * @returns {Promise<string | null>}
   */
  ask(about, owner, reads = false) {
    const { dialog, area } = this.#e, parts = /** @type {const} */ (['title', 'hint', 'label', 'ok']);
    for (const part of parts) put(this.#e[part], this.#speech.nodes(this.#speech.reads(`ask.${about}.${part}`, reads), { name: this.#speech.owner(owner) }));
    this.#asked?.(); // its event may still come
    area.value = '';
    area.required = about === 'takeover';
    dialog.returnValue = '';
    dialog.showModal();
    // Of several lines one is made, as others read it in one.
    return new Promise((done) => { this.#asked = () => done(dialog.returnValue === 'ok' ? area.value.trim().replace(/\s+/g, ' ') : null); });
  }
}
