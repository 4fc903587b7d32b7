// The open document: what is the application's own around <edit-lock>.

import { Refused, get, post } from './api.js';
import { showHistory } from './history.js';
import { mutexOf, sameMutex } from './me.js';
import { sheet } from './sheet.js';
import { say, time } from './words.js';

const byID = (id) => document.getElementById(id);

export async function startEditor(main, watch) {
  const path = `demo/api/documents/${main.dataset.document}`;
  const mutex = mutexOf(main), form = byID('form'), save = byID('save');
  const paper = await sheet(form, path), { locks } = paper;
  let base = { version: Number(main.dataset.version), saves: [] };
  let recorded = '', saving = null, wrong = false;
  const { title } = document;

  // --- saving

  for (const lock of locks) lock.save = () => store().then(() => !lock.unsaved);
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

  // store resolves when what was typed is saved, or refused.
  function store() {
    saving ??= send().finally(() => {
      saving = null;
      show();
    });
    show();
    return saving;
  }

  async function send() {
    const { headers, body, stored, refused } = paper.outgoing();
    tell('editor.saving');
    try {
      base = await post(path, body, { headers });
    } catch (e) {
      if (e instanceof Refused) refused(e.problem);
      const why = { lost: 'lost', changed: 'changed' }[e.code] ?? (e instanceof Refused ? 'invalid' : 'offline');
      tell(`editor.save.${why}`, { problem: e.message }, true);
      return;
    }
    stored(base);
    showText();
    tell('editor.saved', { version: String(base.version) });
    record();
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

  const states = () => locks.map((lock) => lock.state);

  function show() {
    save.disabled = !paper.editable || !paper.unsaved || saving !== null;
    const all = states(), mark = [['lost', '! '], ['mine', '✎ '], ['waiting', '… ']].find(([state]) => all.includes(state));
    document.title = (mark?.[1] ?? '') + title;
  }

  let before = '';
  main.addEventListener('editlock-change', () => {
    const now = states().join();
    // A section that is left after a save does not end what was said of it.
    if (now !== before && !wrong && (locks.length === 1 || now.includes('lost'))) tell('');
    before = now;
    show();
  });
  form.addEventListener('input', () => {
    tell(paper.unsaved ? 'editor.unsaved' : '');
    show();
  });
  form.addEventListener('reloaded', () => {
    if (paper.newest.version !== base.version) record(paper.newest.saves);
    base = paper.newest;
    showText();
  });
  watch.addEventListener('change', () => {
    if (!watch.online) return;
    for (const lock of locks) lock.refresh?.();
    const happened = watch.mutexes.filter((m) => sameMutex(m.mutex, mutex)).map((m) => `${m.mutex.part} ${m.token} ${m.waiting}`).join();
    if (happened !== recorded) news();
    recorded = happened;
  });

  // news shows what happened. Beside a section that is edited here others may have been saved.
  async function news() {
    if (locks.length > 1) {
      const newest = await get(path).catch(() => base);
      if (newest.version > base.version) {
        base = newest;
        showText();
      }
    }
    record();
  }

  async function record(saves = base.saves) {
    try {
      await showHistory(mutex, saves, locks.length > 1);
    } catch { /* the list says that the server is away */ }
  }

  // Who closes the document will not come back: others need not wait until it
  // is clear that this was no reload.
  byID('close').addEventListener('click', () => { for (const { lock } of locks) lock?.release(); });

  say(byID('version'), 'editor.version', { version: String(base.version) });
  await import('./editlock/element.js');
}
