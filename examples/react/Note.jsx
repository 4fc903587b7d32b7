// A note in React 19, which sets functions as properties of custom elements.

import { useRef, useState } from 'react';
import 'editlock/element';

export function Note({ name, reader }) {
  const lock = useRef(null);
  const [text, setText] = useState('');
  const address = `/api/notes/${name}`;

  // Called when the text shown may be old: first get it, then show it.
  async function reload() {
    const newest = await (await fetch(address)).json();
    return () => setText(newest.text);
  }

  // Also for "Save and hand over": true if all is saved.
  async function save() {
    const answer = await fetch(address, {
      method: 'PUT', headers: { 'Content-Type': 'application/json', ...lock.current.headers }, body: JSON.stringify({ text }),
    });
    if (answer.ok) lock.current.saved();
    else lock.current.refused(await answer.json());
    return answer.ok;
  }

  function submit(e) {
    e.preventDefault();
    save();
  }

  return (
    <edit-lock ref={lock} mode="note" object={name} user={reader} name={reader} reload={reload} save={save}>
      <form onSubmit={submit}>
        <label htmlFor="text">Text</label>
        <textarea id="text" name="text" value={text} onChange={(e) => setText(e.target.value)} />
        <button>Save</button>
      </form>
    </edit-lock>
  );
}
