// The open document: what is the application's own around <edit-lock>.

import { Refused, get, post } from './api.js';
import { showHistory } from './history.js';
import { client, mutexOf, sameMutex } from './me.js';
import { say, time } from './words.js';

const byID = (id) => document.getElementById(id);

export async function startEditor(main, watch) {
  const path = `demo/api/documents/${main.dataset.document}`;
  const mutex = mutexOf(main);
  const lock = byID('lock'), form = byID('form'), save = byID('save');
  const fields = [...form.elements].filter((e) => e.name);
  let base = { version: Number(main.dataset.version), saves: [] };
  let recorded = '', saving = null, wrong = false;
  const { title } = document;

  const read = () => Object.fromEntries(fields.map((f) => [f.name, f.value]));

  // --- what <edit-lock> asks of a page

  lock.client = client;
  lock.unchanged = async () => (await get(path)).version === base.version;
  lock.save = store;
  lock.reload = async () => {
    const newest = await get(path);
    return () => {
      if (newest.version !== base.version) record(newest.saves);
      base = newest;
      for (const f of fields) f.value = base.fields[f.name];
      showText();
    };
  };

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
    const fields = read(), { version } = base;
    tell('editor.saving');
    try {
      base = await post(path, { version, fields }, { headers: lock.headers });
    } catch (e) {
      if (e instanceof Refused) lock.refused(e.problem);
      const why = { lost: 'lost', changed: 'changed' }[e.code] ?? (e instanceof Refused ? 'invalid' : 'offline');
      tell(`editor.save.${why}`, { problem: e.message }, true);
      return false;
    }
    lock.saved(base.fields);
    showText();
    tell('editor.saved', { version: String(base.version) });
    record();
    return !lock.unsaved;
  }

  function tell(key, values, isWrong = false) {
    wrong = isWrong;
    say(byID('saved'), key, values);
    byID('saved').classList.toggle('wrong', wrong);
  }

  // --- what is shown

  function showText() {
    for (const e of [byID('title'), document.querySelector('.card[aria-current] .card-title')]) e.textContent = base.fields.title;
    const last = base.saves.at(-1);
    if (last) say(byID('version'), 'editor.version.by', { version: String(base.version), name: last.by, at: time(last.at) });
    else say(byID('version'), 'editor.version', { version: String(base.version) });
  }

  function show() {
    save.disabled = !lock.editable || !lock.unsaved || saving !== null;
    document.title = ({ mine: '✎ ', waiting: '… ', lost: '! ' }[lock.state] ?? '') + title;
  }

  let before = '';
  lock.addEventListener('editlock-change', () => {
    if (lock.state !== before && !wrong) tell('');
    before = lock.state;
    show();
  });
  form.addEventListener('input', () => {
    tell(lock.unsaved ? 'editor.unsaved' : '');
    show();
  });
  watch.addEventListener('change', () => {
    if (!watch.online) return;
    lock.refresh?.();
    const held = watch.mutexes.find((m) => sameMutex(m.mutex, mutex));
    const happened = held ? `${held.token} ${held.waiting}` : 'free';
    if (happened !== recorded) record();
    recorded = happened;
  });

  async function record(saves = base.saves) {
    try {
      await showHistory(mutex, saves);
    } catch { /* the list says that the server is away */ }
  }

  // Who closes the document will not come back: others need not wait until it
  // is clear that this was no reload.
  byID('close').addEventListener('click', () => lock.lock?.release());

  say(byID('version'), 'editor.version', { version: String(base.version) });
  await import('./editlock/element.js');
}
