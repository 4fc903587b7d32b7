// What of a document is locked: all of it, or each section of its form by itself. The
// editor saves what a sheet says to send, and tells it what became of that.

import { get } from './api.js';
import { client } from './me.js';

// sheet is that of a form, whose document is read and saved at path.
export async function sheet(form, path) {
  const whole = form.closest('edit-lock');
  if (whole) return new Whole(whole, form, path);
  const { sections } = await import('./editlock/sections.js');
  return new Divided(sections(form), form, path);
}

const controls = (element) => [...element.querySelectorAll('[name]')];
const read = (element) => Object.fromEntries(controls(element).map((f) => [f.name, f.value]));

class Whole {
  newest = null; // what was read last

  constructor(lock, form, path) {
    this.locks = [lock];
    lock.client = client;
    lock.unchanged = async () => String((await get(path)).version) === lock.version;
    lock.reload = async () => {
      const newest = await get(path);
      return () => {
        this.newest = newest;
        lock.version = newest.version;
        for (const f of controls(form)) f.value = newest.fields[f.name];
        form.dispatchEvent(new Event('reloaded'));
      };
    };
    this.read = () => read(form);
  }

  get unsaved() { return this.locks[0].unsaved; }
  get editable() { return this.locks[0].editable; }

  // outgoing is what a save sends, and what to do with the answer.
  outgoing() {
    const [lock] = this.locks;
    return {
      headers: lock.headers, body: { version: Number(lock.version), fields: this.read() },
      stored: (saved) => lock.saved(saved.fields, String(saved.version)),
      refused: (problem) => lock.refused(problem),
    };
  }
}

class Divided {
  #all;

  constructor(all, form, path) {
    this.#all = all;
    this.locks = [...form.querySelectorAll('edit-lock')];
    for (const lock of this.locks) {
      lock.client = client;
      lock.unchanged = async () => String((await get(path)).parts[partOf(lock)]) === lock.version;
    }
  }

  get unsaved() { return this.#all.changed.length > 0; }
  get editable() { return this.#all.changed.every((lock) => lock.editable); }

  outgoing() {
    const sent = this.#all.changed.map((lock) => ({ lock, part: partOf(lock), fields: read(lock) }));
    return {
      headers: this.#all.headers,
      body: { parts: Object.fromEntries(sent.map(({ lock, part }) => [part, Number(lock.version)])), fields: Object.assign({}, ...sent.map((s) => s.fields)) },
      stored: (saved) => { for (const { lock, part, fields } of sent) lock.saved(fields, String(saved.parts[part])); },
      refused: (problem) => this.#all.refused(problem),
    };
  }
}

const partOf = (lock) => lock.getAttribute('object-part');
