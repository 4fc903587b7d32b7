// The open document: the form, the lock it needs, and the text that must not
// get lost.

import { Refused, get, post, after } from './api.js';
import { ask, copy } from './ask.js';
import { showBanner } from './banner.js';
import { showHistory } from './history.js';
import { Kept } from './kept.js';
import { Lock } from './lock.js';
import { label, mutexOf, sameMutex } from './me.js';
import { showWaiters } from './waiters.js';
import { element, person, say, text, time } from './words.js';

const byID = (id) => document.getElementById(id);

export function startEditor(main, watch) {
  const path = `/demo/api/documents/${main.dataset.document}`;
  const mutex = mutexOf(main);
  const form = byID('form'), fields = [...form.elements].filter((e) => e.name);
  const save = byID('save');
  const kept = new Kept(main.dataset.document);
  const lock = new Lock({
    mutex, idle: document.body.dataset.idle,
    unchanged: async () => (await get(path)).version === base.version,
  });
  let base = { version: Number(main.dataset.version), fields: read(), saves: [] };
  let loadedFor = 0; // the token whose holder has the newest text in front of him
  let before = 'opening', recorded = '', saving = null;
  const { title } = document;

  function read() { return Object.fromEntries(fields.map((f) => [f.name, f.value])); }

  function unsaved() { return fields.filter((f) => f.value !== base.fields[f.name]); }

  const canWrite = () => lock.state === 'mine' && loadedFor === lock.token;

  // --- the text

  function showText() {
    for (const title of [byID('title'), document.querySelector('.card[aria-current] .card-title')]) title.textContent = base.fields.title;
    const last = base.saves.at(-1);
    if (last) say(byID('version'), 'editor.version.by', { version: String(base.version), name: last.by, at: time(last.at) });
    else say(byID('version'), 'editor.version', { version: String(base.version) });
  }

  // reload shows the newest text, unless somebody types here. What was asked
  // for before the lock changed may be old by now, and is dropped: that change
  // has asked anew.
  async function reload() {
    const { token } = lock;
    if (token && token === loadedFor) return;
    let newest;
    try {
      newest = await get(path);
    } catch (e) {
      if (e instanceof Refused || !token) return;
      await after(1000);
      return reload();
    }
    if (token !== lock.token || token && token === loadedFor) return;
    if (newest.version !== base.version) record(newest.saves);
    base = newest;
    loadedFor = token;
    for (const f of fields) f.value = base.fields[f.name];
    showText();
    show();
  }

  form.addEventListener('beforeinput', (e) => { if (!lock.sure()) e.preventDefault(); });
  form.addEventListener('input', () => {
    if (!canWrite()) return;
    kept.draft({
      version: base.version, at: new Date().toISOString(),
      fields: Object.fromEntries(unsaved().map((f) => [f.name, f.value])),
    });
    tell(unsaved().length ? 'editor.unsaved' : '');
    show();
  });

  // --- saving

  form.addEventListener('submit', (e) => {
    e.preventDefault();
    store();
  });
  addEventListener('keydown', (e) => {
    if ((e.ctrlKey || e.metaKey) && e.code === 'KeyS') {
      e.preventDefault();
      if (!save.disabled) store();
    }
  });

  // store resolves to whether everything typed is saved.
  function store() {
    saving ??= send().finally(() => {
      saving = null;
      show();
    });
    show();
    return saving;
  }

  async function send() {
    const sent = read(), { version } = base;
    tell('editor.saving');
    try {
      base = await post(path, { version, fields: sent }, { headers: { 'Editlock-Token': String(lock.token) } });
    } catch (e) {
      if (e.code === 'lost') lock.ended(e.problem);
      if (e.code === 'changed') kept.leave();
      const why = { lost: 'lost', changed: 'changed' }[e.code] ?? (e instanceof Refused ? 'invalid' : 'offline');
      tell(`editor.save.${why}`, { problem: e.message }, true);
      return false;
    }
    kept.draft({ fields: {} });
    showText();
    tell('editor.saved', { version: String(base.version) });
    record();
    return unsaved().length === 0;
  }

  function tell(key, values, wrong = false) {
    say(byID('saved'), key, values);
    byID('saved').classList.toggle('wrong', wrong);
  }

  // --- the text left behind

  function showKept() {
    const left = kept.left;
    byID('kept').hidden = !left;
    byID('kept-fields').replaceChildren();
    if (!left) return;
    say(byID('kept-since'), 'kept.since', { at: time(left.at), version: String(left.version) });
    byID('kept-restore').hidden = !canWrite();
    for (const [name, value] of Object.entries(left.fields)) {
      const about = form.elements[name]?.labels[0].textContent ?? name;
      const shown = form.elements[name]?.querySelector?.(`option[value="${CSS.escape(value)}"]`)?.textContent ?? value;
      const button = element('button', { type: 'button', className: 'quiet', textContent: text('kept.copy'), ariaLabel: text('kept.copy.field', { field: about }) });
      button.onclick = () => copy(button, value);
      byID('kept-fields').append(element('div', {}, element('dt', {}, about), element('dd', {}, element('span', {}, shown), button)));
    }
  }

  byID('kept-copy').onclick = (e) => copy(e.currentTarget, Object.values(kept.left.fields).join('\n\n'));
  byID('kept-discard').onclick = () => {
    kept.discard();
    byID('banner').focus();
  };
  byID('kept-restore').onclick = () => {
    const { fields: left } = kept.left;
    for (const f of fields) if (f.name in left) f.value = left[f.name];
    kept.discard();
    form.dispatchEvent(new Event('input'));
    fields.find((f) => f.name in left)?.focus();
  };
  kept.addEventListener('change', () => show());

  // --- the lock

  const holderName = () => ({ name: person(label(lock.holder.owner)) });
  const act = {
    edit: () => lock.open(),
    retry: () => lock.open(),
    leave: () => lock.stopWaiting(),
    continue: () => lock.takeOver(text('continue.reason')),
    async wait() {
      const message = await ask('wait', holderName());
      if (message !== null) lock.wait(message);
    },
    async takeover() {
      const reason = await ask('takeover', { ...holderName(), required: true });
      if (reason) lock.takeOver(reason);
    },
  };
  byID('hand-over').onclick = async () => {
    if (!unsaved().length || await store()) lock.handOver();
  };

  function show() {
    const left = kept.left;
    showBanner(lock, left, act);
    showWaiters(lock, unsaved().length > 0, (waiter, message) => lock.decline(waiter, message));
    showKept();
    const writes = canWrite();
    main.dataset.state = lock.state === 'mine' && !writes ? 'opening' : lock.state;
    for (const f of fields) {
      if (f.localName === 'select') f.disabled = !writes;
      else f.readOnly = !writes;
    }
    save.disabled = !writes || saving !== null || unsaved().length === 0;
    document.title = ({ mine: '✎ ', waiting: '… ', lost: '! ' }[lock.state] ?? '') + title;
  }

  lock.addEventListener('change', () => {
    const { state } = lock;
    if (state !== before) {
      const newHold = state === 'mine' && lock.token !== loadedFor;
      if (newHold && lock.note === 'back') loadedFor = lock.token; // the text on the page is still the newest
      else if (newHold || ['other', 'free', 'waiting', 'lost'].includes(state)) kept.leave();
      if (newHold || !byID('saved').classList.contains('wrong')) tell('');
      if (['mine', 'other', 'self', 'free', 'lost', 'waiting'].includes(state)) reload();
      before = state;
    }
    show();
  });
  watch.addEventListener('change', () => {
    if (!watch.online) return;
    const held = watch.mutexes.find((m) => sameMutex(m.mutex, mutex)) ?? null;
    lock.seen(held);
    if (['other', 'self', 'waiting'].includes(lock.state)) reload();
    const happened = held ? `${held.token} ${held.waiting}` : 'free';
    if (happened !== recorded) record();
    recorded = happened;
  });
  watch.addEventListener('entry', ({ detail }) => lock.heard(detail));

  async function record(saves = base.saves) {
    try {
      await showHistory(mutex, saves);
    } catch { /* the list says that the server is away */ }
  }

  showText();
  show();
  lock.open();
}
