// The note, and how it is loaded and saved. Everything about the lock is the
// element's.

const lock = document.querySelector('edit-lock');
const form = document.getElementById('note');
const address = `/api/notes/${lock.getAttribute('object')}`;

// Who reads; yours comes from a login.
const reader = new URLSearchParams(location.search).get('reader');
if (reader) for (const attribute of ['user', 'name']) lock.setAttribute(attribute, reader);

// Called when the text shown may be old: first get it, then show it.
lock.reload = async () => {
  const { text, version } = await (await fetch(address)).json();
  return () => {
    form.elements.text.value = text;
    lock.version = version; // a save of another one is refused: an import wrote past the lock
  };
};

// Also for "Save and hand over": true if all is saved.
lock.save = async () => {
  const answer = await lock.send(address, {
    method: 'PUT', headers: { 'Content-Type': 'application/json' },
    body: () => JSON.stringify({ text: form.elements.text.value }),
  });
  return answer.ok;
};

form.addEventListener('submit', (e) => {
  e.preventDefault();
  lock.save();
});
