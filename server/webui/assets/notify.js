// Tells a holder that somebody waits, though the page is not looked at: by a notice of
// the desktop, if they have asked for that. The browser asks for its permission only
// when the button is pressed.

import { changed, whileHidden } from './live.js';
import { say } from './words.js';

const wantedKey = 'editlock-notify', toldKey = 'editlock-told';
const remembered = 100;
const able = 'Notification' in window && isSecureContext;

const wanted = () => able && Notification.permission === 'granted' && localStorage.getItem(wantedKey) === '1';

// newAsks are those that no page of this browser has told of, and count as told now.
function newAsks() {
  const told = JSON.parse(localStorage.getItem(toldKey) ?? '[]');
  const found = [...document.querySelectorAll('[data-ask]')].filter((e) => !told.includes(e.dataset.ask));
  if (found.length) localStorage.setItem(toldKey, JSON.stringify([...told, ...found.map((e) => e.dataset.ask)].slice(-remembered)));
  return found;
}

function tell() {
  for (const { dataset } of newAsks()) {
    if (!wanted() || document.hasFocus()) continue;
    const { ask: tag, who, lock, message: body } = dataset;
    try {
      const notice = new Notification(say('asks', { who, lock }), { body, tag, icon: document.querySelector('link[rel=icon]').href });
      notice.onclick = () => { window.focus(); notice.close(); };
    } catch { /* on phones only workers may notify */ }
  }
}

export function notifyOfAsks() {
  const button = document.getElementById('notify');
  if (!button) return; // nobody is known who could be asked
  // A page that is not looked at asks seldom, but it asks: its title and icon tell.
  whileHidden(() => wanted() ? 15_000 : 60_000);
  newAsks(); // they are being read
  changed(tell);
  if (!able) return;
  const state = () => {
    button.textContent = say(Notification.permission === 'denied' ? 'blocked' : wanted() ? 'notifying' : 'notify');
    button.disabled = Notification.permission === 'denied';
    button.hidden = false;
  };
  button.addEventListener('click', async () => {
    if (wanted()) localStorage.removeItem(wantedKey);
    else if (await Notification.requestPermission() === 'granted') localStorage.setItem(wantedKey, '1');
    state();
  });
  state();
}
