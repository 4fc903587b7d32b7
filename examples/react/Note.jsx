// A note in React 19, which sets functions as properties of custom elements.

import { useRef, useState } from 'react';
import 'editlock/element';

export function Note({ name, reader }) {
  const lock = useRef(null);
  const [text, setText] = useState('');
  const [past, setPast] = useState(null);
  const shown = useRef(text);
  shown.current = text;
  const address = `/api/notes/${name}`;

  // Called when the text shown may be old: first get it, then show it.
  async function reload() {
    const newest = await (await fetch(address)).json();
    return () => {
      setText(newest.text);
      setPast(null);
      lock.current.version = newest.version; // a save of another one is refused: an import wrote past the lock
    };
  }

  // Also for "Save and hand over": true if all is saved.
  async function save() {
    const answer = await lock.current.send(address, {
      method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: () => JSON.stringify({ text: shown.current }),
    });
    return answer.ok;
  }

  function submit(e) {
    e.preventDefault();
    save();
  }

  return (
    <edit-lock ref={lock} mode="note" object={name} user={reader} name={reader} reload={reload} save={save} onedit-lock-changed={(e) => setPast(e.detail)}>
      <form onSubmit={submit}>
        <label htmlFor="text">Text</label>
        <textarea id="text" name="text" value={text} onChange={(e) => setText(e.target.value)} />
        <button>Save</button>
        {past && <p>Version {past.current} is stored; this was made of version {past.seen}.</p>}
      </form>
    </edit-lock>
  );
}
