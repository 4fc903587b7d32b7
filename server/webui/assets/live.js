// Keeps the page current by asking for it again: every two seconds while it
// is looked at, and seldom or not at all while it is hidden. The server answers
// 304 if nothing changed, so however much happens in between, the page is
// touched about thirty times a minute at most.

import { merge } from './merge.js';
import { hear, local, now } from './times.js';
import { say } from './words.js';

const every = 2000, slowest = 30000;
const pausedKey = 'editlock-paused';

let tag = document.body.dataset.tag;
let timer, under, failures = 0, lastGood = now();
let paused = sessionStorage.getItem(pausedKey) === '1';
const heads = new Set();

// whileHidden sets how often a page asks that is not looked at, in ms; 0: not at all.
let hiddenEvery = () => 0;
export const whileHidden = (f) => { hiddenEvery = f; };

const live = () => 'live' in document.body.dataset;

// changed calls f after each change of the page.
export const changed = (f) => heads.add(f);

// load brings the page to what stands at an address, and returns whether that
// was shown. Only the latest call counts.
export function load(address = location.href) {
  under?.abort();
  clearTimeout(timer);
  const request = under = new XMLHttpRequest();
  return new Promise((done) => {
    request.open('GET', address);
    request.responseType = 'document'; // parses without running anything, under Trusted Types too
    request.timeout = 20000;
    request.setRequestHeader('If-None-Match', `"${tag}"`);
    request.onloadend = () => {
      if (request !== under) return done(false);
      under = undefined;
      const page = request.response, ok = request.status === 304 || request.status === 200 && page?.getElementById('main');
      if (ok && document.getElementById('failed')) return location.reload();
      if (ok) {
        hear(request.getResponseHeader('Editlock-Now'));
        [failures, lastGood] = [0, now()];
        if (request.status === 200) {
          tag = page.body.dataset.tag;
          document.body.toggleAttribute('data-live', page.body.hasAttribute('data-live'));
          if (merge(page)) for (const f of heads) f();
        }
      } else failures++;
      state();
      plan();
      done(Boolean(ok));
    };
    request.send();
  });
}

// plan asks again in a while: later, the longer there was no answer.
function plan() {
  clearTimeout(timer);
  const often = document.hidden ? hiddenEvery() : every;
  if (paused && document.getElementById('live') || !often || !live()) return;
  const wait = Math.max(often, Math.min(every * 2 ** Math.min(failures, 4), slowest));
  timer = setTimeout(() => load(), wait * (0.9 + 0.2 * Math.random()));
}

function state() {
  const line = document.getElementById('live');
  if (!line) return;
  line.hidden = !live();
  const text = failures > 1 ? say('offline', { time: local(lastGood) }) : say(paused ? 'paused' : 'on');
  const out = document.getElementById('live-state');
  if (out.textContent !== text) out.textContent = text;
  line.dataset.state = failures > 1 ? 'offline' : paused ? 'paused' : 'on';
  document.getElementById('live-switch').textContent = say(paused ? 'resume' : 'pause');
  document.body.classList.toggle('stale', failures > 1);
}

export function keepCurrent() {
  const line = document.getElementById('live');
  if (!line) return plan(); // the page says that there was no answer, or is none to follow
  document.getElementById('live-switch').addEventListener('click', () => {
    paused = !paused;
    sessionStorage.setItem(pausedKey, paused ? '1' : '0');
    state();
    if (paused) clearTimeout(timer);
    else load();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) plan();
    else if (!paused && live()) load();
  });
  addEventListener('online', () => paused || !live() || load());
  state();
  plan();
}
