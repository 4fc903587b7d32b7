// Locks the form of a page that Django rendered: wraps it in <edit-lock>, with
// the settings that the page has in #editlock-page.

import { Editlock } from './editlock.js';
import './element.js';
import { tokens } from './tokens.js';

const place = document.getElementById('editlock-page');
const { server, mutex, owner, field, form: formID, token, token_url: tokenURL, unsaved, refused, presence } = JSON.parse(place.textContent);
const form = formID ? document.getElementById(formID) : place.closest('form');
// The element's own place for text that was left behind.
const kept = `editlock/${[owner.user_id || owner.session, mutex.group, mutex.mode, mutex.id].map(encodeURIComponent).join('/')}/left`;

/** keep puts what was typed where the element shows it beside what is stored. */
function keep() {
  if (!Object.keys(unsaved).length) return true;
  try {
    const left = JSON.parse(localStorage.getItem(kept) ?? 'null');
    localStorage.setItem(kept, JSON.stringify({ at: new Date().toISOString(), fields: { ...left?.fields, ...unsaved } }));
    return true;
  } catch {
    return false; // the message with the texts stays
  }
}

function lock() {
  if (refused && keep()) document.querySelectorAll('.editlock-unsaved').forEach((e) => (e.closest('li') ?? e).remove());
  const client = new Editlock({ server, owner, token: tokens(token, tokenURL) });
  // A page that answers a POST must not be posted again.
  const { reload } = client;
  client.reload = () => {
    if (!refused && !Object.keys(unsaved).length) return reload.call(client);
    keep();
    location.replace(location.pathname + location.search);
  };
  const element = Object.assign(document.createElement('edit-lock'), { client });
  for (const [name, value] of Object.entries({
    group: mutex.group, mode: mutex.mode, object: mutex.id, server, 'token-field': field,
    session: owner.session, user: owner.user_id, login: owner.login, name: owner.name,
  })) element.setAttribute(name, value);
  const version = form.querySelector('input[name=editlock_version]')?.value;
  if (version) element.setAttribute('version', version);
  if (presence) element.setAttribute('presence', '');
  // A theme may draw the save buttons outside of the form, where the element does not reach.
  // (form.elements and form.id may be fields of these names.)
  const named = `[form="${CSS.escape(form.getAttribute('id') ?? '')}"]`;
  const outside = [...document.querySelectorAll(named)].filter((control) => control.closest('form') !== form);
  const follow = () => outside.forEach((control) => { control.disabled = element.getAttribute('state') !== 'mine'; });
  element.addEventListener('editlock-change', follow);
  follow();
  form.inert = true; // until the element guards it
  form.before(element);
  element.append(form);
}

if (form) lock();
