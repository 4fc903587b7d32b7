// What each state of the lock looks like: the sentence on top, what it means,
// and what can be done.

import { badge } from './badges.js';
import { isMe, label, me } from './me.js';
import { element, nodes, person, say, text, time } from './words.js';

const banner = document.getElementById('banner');
const status = document.getElementById('status');
const actions = document.getElementById('actions');

// describe returns {tone, who, headline, details, offers}; texts are arrays
// of a key and its values.
function describe(lock, left) {
  const { holder, note } = lock;
  const name = holder && label(holder.owner);
  const since = () => time(holder.captured_at);
  switch (lock.state) {
    case 'opening':
      return { tone: 'quiet', headline: ['state.opening'], details: [], offers: [] };
    case 'mine': {
      let details = [holder.waiting > 0 ? ['state.mine.queue', { count: holder.waiting }] : ['state.mine.detail']];
      if (note) details.unshift([`state.mine.${note}`]);
      if (!lock.online) details = [['state.mine.offline', { until: time(lock.until) }]];
      return { tone: lock.online ? 'mine' : 'offline', who: me.name, headline: ['state.mine', { since: since() }], details, offers: [] };
    }
    case 'checking':
      return {
        tone: 'offline', headline: ['state.checking'], offers: [],
        details: lock.online ? [] : [['state.checking.offline']],
      };
    case 'other': {
      const details = [holder.waiting > 0 ? ['state.other.queue', { count: holder.waiting }] : ['state.other.detail']];
      if (note === 'declined' && lock.answer) details.unshift(['state.other.declined.message', { name: person(name), message: lock.answer }]);
      else if (note) details.unshift([`state.other.${note}`, { name: person(name) }]);
      return {
        tone: 'other', who: name, headline: ['state.other', { name: person(name), since: since() }],
        details, offers: ['wait', 'takeover'],
      };
    }
    case 'self':
      return {
        tone: 'other', who: name, details: [['state.self.detail']], offers: ['continue'],
        headline: [holder.owner.session === me.session ? 'state.self' : 'state.self.browser', { since: since() }],
      };
    case 'free':
      return { tone: 'quiet', headline: ['state.free'], details: [['state.free.detail']], offers: ['edit'] };
    case 'waiting': {
      if (!holder || !lock.place) return { tone: 'waiting', headline: ['state.waiting.joining'], details: [], offers: ['leave'] };
      const grant = holder.waiters[lock.place - 1].grant_at;
      return {
        tone: 'waiting', who: name, offers: ['leave', 'takeover'],
        headline: ['state.waiting', { position: String(lock.place) }],
        details: [grant
          ? ['state.waiting.granted', { name: person(name), since: since(), at: time(grant) }]
          : ['state.waiting.detail', { name: person(name), since: since() }]],
      };
    }
    case 'lost':
      return describeLoss(lock, left);
    default:
      return {
        tone: 'offline', offers: ['retry'], details: [],
        headline: lock.online ? ['state.error', { problem: lock.problem }] : ['list.offline'],
      };
  }
}

function describeLoss({ loss, holder }, left) {
  const by = loss.by && label(loss.by), at = loss.at && time(loss.at);
  const now = holder ? label(holder.owner) : by;
  let tone = 'lost', who = by, headline;
  if (loss.how === 'handed_over' && loss.reason === 'no_answer') {
    [who, headline] = [now, ['state.lost.passed', { name: person(now), at }]];
  } else if (loss.how === 'handed_over') {
    const to = loss.to ? label(loss.to) : now;
    [tone, who, headline] = ['quiet', to, ['state.lost.handed_over', { name: person(to) }]];
  } else if (loss.how === 'taken_over' && isMe(loss.by)) {
    headline = ['state.lost.self', { at }];
  } else if (loss.how === 'taken_over' || loss.how === 'force_released') {
    headline = [`state.lost.${loss.how}`, { name: person(by), at }];
  } else {
    [who, headline] = [now, [`state.lost.${loss.how}`]];
  }
  const details = [['state.lost.readonly']];
  if (loss.reason && tone === 'lost' && !isMe(loss.by ?? me)) details.unshift(['state.lost.reason', { reason: loss.reason }]);
  if (left) details.push(['state.lost.kept']);
  let offers = ['edit'];
  if (holder) offers = isMe(holder.owner) ? ['continue'] : ['wait', 'takeover'];
  return { tone, who, headline, details, offers };
}

// showBanner draws the state. do maps each offer to what it does.
export function showBanner(lock, left, act) {
  const shown = describe(lock, left);
  banner.dataset.tone = shown.tone;
  status.setAttribute('aria-live', shown.tone === 'lost' ? 'assertive' : 'polite');
  const face = document.getElementById('banner-badge');
  if (face.dataset.name !== (shown.who ?? '')) {
    face.dataset.name = shown.who ?? '';
    face.replaceChildren(...(shown.who ? [badge(shown.who)] : []));
  }
  say(document.getElementById('headline'), ...shown.headline);
  sayAll(document.getElementById('detail'), shown.details);
  offer(shown.offers, act);
}

function sayAll(target, details) {
  const before = document.createElement('p');
  details.forEach((detail, i) => before.append(...(i ? [' '] : []), ...nodes(...detail)));
  if (target.innerHTML !== before.innerHTML) target.replaceChildren(...before.childNodes);
}

// offer keeps buttons that stay, so that focus stays too; a focus whose button
// goes moves to the banner.
function offer(names, act) {
  if (actions.dataset.offers === names.join(' ')) return;
  actions.dataset.offers = names.join(' ');
  const focused = actions.contains(document.activeElement);
  actions.replaceChildren(...names.map((name, i) => element('button', {
    type: 'button', className: i === 0 && name !== 'leave' ? 'primary' : '', onclick: () => act[name](),
    textContent: text(`action.${name}`),
  })));
  if (focused) banner.focus();
}
