// What each state of a lock says: the sentence on top, what it means, and what
// can be done.

import { label, person } from './dom.js';

/** @import { Lock } from '../lock.js' */
/** @import { Owner } from '../types.js' */
/** @import { Speech, Values } from './dom.js' */

/** @typedef {[key: string, values?: Values]} Sentence */
/** @typedef {'edit'|'wait'|'takeover'|'take'|'continue'|'leave'|'retry'|'stop'|'notify'} Offer */
/** @typedef {{tone: string, who?: string, headline: Sentence, details: Sentence[], offers: Offer[]}} Shown */

/**
 * What is known beside the lock.
 * @typedef {object} Page
 * @property {boolean} left whether text was left behind
 * @property {boolean} manual whether opening is the reader's choice
 * @property {boolean} notify whether notifications may be offered
 * @property {boolean} unsafe whether unsaved text cannot be stored in this browser
 * @property {boolean} reads whether the page only reads
 */

/** So many others who read are named. */
const named = 3;
/** What is said of the holder; all else is of this page. */
const ofHolder = /^state\.(self|waiting|other$)/;

/** @param {Lock} lock */
const isRead = (lock) => lock.holder?.sharing === 'shared';

/**
 * @param {Lock} lock
 * @param {Speech} speech
 * @param {Owner} me
 * @param {Page} page
 * @returns {Shown}
 */
export function describe(lock, speech, me, page) {
  const shown = tell(lock, speech, me, page);
  /** @returns {Sentence} */
  const of = (/** @type {Sentence} */ [key, values]) => [speech.reads(key, ofHolder.test(key) ? isRead(lock) : page.reads), values];
  return { ...shown, headline: of(shown.headline), details: [...beside(lock), ...shown.details.map(of)] };
}

/**
 * beside names the others who read.
 * @param {Lock} lock
 * @returns {Sentence[]}
 */
function beside({ state, holder, holders }) {
  if (!holder?.beside || !['mine', 'other', 'self', 'waiting'].includes(state)) return [];
  const first = holders.filter((h) => h.token !== holder.token).slice(0, named), count = holder.beside - first.length;
  const names = first.map((h) => label(h.owner)).join(', ');
  return names ? [[count ? 'beside.more' : 'beside', { names, count }]] : [];
}

// What the holder holds instead of this: all of a type, the whole of what this is a part
// of, or a part of it. That others hold other parts keeps nobody out, unless somebody waits for
// the whole.
/** @param {Lock} lock */
function scopeOf({ holder, mutex }) {
  if (!holder || holder.mutex.id === mutex.id && holder.mutex.part === mutex.part) return '';
  const { id, part, below } = holder.mutex;
  return below ? '.all' : id !== mutex.id || part && mutex.part ? '.closed' : part ? '.part' : '.whole';
}

// Who reads is in the way of who edits only; one of several, or in front of a
// queue, is taken the place of to no avail.
/** @param {Lock} lock @param {Page} page */
const canTakeOver = (lock, page) => !scopeOf(lock) && (!isRead(lock) || !page.reads && !lock.holder?.beside && !lock.holder?.waiting);

// A person takes an agent's place by one click; of others the reason is asked for.
/**
 * @param {Lock} lock
 * @param {Owner} me
 * @param {Page} page
 * @param {Offer} other
 * @returns {Offer[]}
 */
function offersOf(lock, me, page, other) {
  if (!canTakeOver(lock, page)) return [other];
  return lock.holder?.owner.kind === 'agent' && me.kind !== 'agent' ? ['take', other] : [other, 'takeover'];
}

/**
 * @param {Lock} lock
 * @param {Speech} speech
 * @param {Owner} me
 * @param {Page} page
 * @returns {Shown}
 */
function tell(lock, speech, me, page) {
  const { holder, note } = lock, away = lock.limited ? 'state.limited' : 'state.offline';
  const name = holder ? label(holder.owner) : '', scope = scopeOf(lock);
  const who = holder && speech.owner(holder.owner) || '';
  /** @type {Sentence[]} what becomes of what is typed without a connection */
  const typed = page.reads ? [] : page.unsafe ? [['typed.unsafe']] : [['typed.safe']];
  const since = () => speech.time(holder?.captured_at);
  switch (scope && lock.state === 'self' ? 'other' : lock.state) {
    case 'closed': case 'opening':
      return { tone: 'quiet', headline: [`state.${lock.state}`], details: [], offers: lock.state === 'closed' ? ['edit'] : [] };
    case 'mine': {
      /** @type {Sentence[]} */
      let details = [holder?.waiting ? ['state.mine.queue', { count: holder.waiting }] : ['state.mine.detail']];
      if (holder?.draining) {
        const { by, since: at, message = '' } = holder.draining;
        details.unshift([`state.mine.drain${message && '.message'}`, { name: speech.owner(by), since: speech.time(at), message }]);
      }
      if (note === 'granted' || note === 'back') details.unshift([`state.mine.${note}`]);
      if (lock.inactiveAt) details = [['state.mine.inactive', { at: speech.time(lock.inactiveAt) }]];
      if (!lock.online) details = [[lock.limited ? 'state.mine.limited' : 'state.mine.offline', { until: speech.time(lock.until ?? new Date()) }], ...typed];
      else if (page.unsafe) details.push(...typed);
      return {
        tone: lock.online && !lock.inactiveAt ? 'mine' : 'offline', who: label(me), headline: ['state.mine', { since: since() }],
        details, offers: /** @type {Offer[]} */ ([page.manual && 'stop', page.notify && 'notify'].filter(Boolean)),
      };
    }
    case 'checking':
      return { tone: 'offline', headline: ['state.checking'], details: lock.online ? [] : [[lock.limited ? 'state.checking.limited' : 'state.checking.offline'], ...typed], offers: [] };
    case 'other': {
      /** @type {Sentence[]} */
      const details = [holder?.waiting ? ['state.other.queue', { count: holder.waiting }] : ['state.other.detail']];
      if (note === 'declined' && lock.answer) details.unshift(['state.other.declined.message', { name: who, message: lock.answer }]);
      else if (note) details.unshift([`state.other.${note}`, { name: who }]);
      if (!lock.online) details.unshift([away]);
      return {
        tone: 'other', who: name, headline: [`state.other${scope}`, { name: who, since: since(), part: holder?.mutex.part ?? '' }], details,
        offers: note === 'forbidden' ? ['wait'] : offersOf(lock, me, page, 'wait'),
      };
    }
    case 'self':
      return {
        tone: 'other', who: name, details: [['state.self.detail']], offers: ['continue'],
        headline: [holder?.owner.session === me.session ? 'state.self' : 'state.self.browser', { since: since() }],
      };
    case 'free':
      return { tone: 'quiet', headline: ['state.free'], details: [['state.free.detail']], offers: ['edit'] };
    case 'waiting': {
      if (!lock.online) return { tone: 'offline', headline: [away], details: [], offers: ['leave'] };
      const place = holder?.waiters[lock.place - 1];
      if (!holder || !place && !scope && holder.waiting <= holder.waiters.length) {
        return { tone: 'waiting', headline: ['state.waiting.joining'], details: [], offers: ['leave'] };
      }
      return {
        tone: 'waiting', who: name, offers: offersOf(lock, me, page, 'leave'),
        headline: place ? ['state.waiting', { position: lock.place }] : scope ? ['state.waiting.around'] : ['state.waiting.far', { count: holder.waiting }],
        details: [place?.grant_at
          ? ['state.waiting.granted', { name: who, since: since(), at: speech.time(place.grant_at) }]
          : ['state.waiting.detail', { name: who, since: since() }]],
      };
    }
    case 'lost':
      return describeLoss(lock, speech, me, page);
    default: {
      const code = lock.problem?.code ?? '';
      /** @type {Sentence} */
      const headline = lock.problem?.hidden ? ['state.hidden', { origin: location.origin }] : lock.problem?.temporary ? [away]
        : ['unauthenticated', 'forbidden'].includes(code) ? [`state.error.${code}`] : ['state.error', { problem: lock.problem?.message ?? '' }];
      return { tone: 'offline', headline, details: [], offers: ['retry'] };
    }
  }
}

/**
 * @param {Lock} lock
 * @param {Speech} speech
 * @param {Owner} me
 * @param {Page} page
 * @returns {Shown}
 */
function describeLoss(lock, speech, me, page) {
  const { holder } = lock, loss = lock.loss ?? { how: 'expired' };
  const by = loss.by ? label(loss.by) : '', at = loss.at ? speech.time(loss.at) : '';
  const now = holder ? label(holder.owner) : by, taker = loss.by && speech.owner(loss.by) || '';
  let tone = 'lost', who = by;
  /** @type {Sentence} */
  let headline;
  if (loss.how === 'handed_over' && loss.reason === 'no_answer') {
    [who, headline] = [now, ['state.lost.passed', { name: person(now), at }]];
  } else if (loss.how === 'handed_over') {
    const to = loss.to ? label(loss.to) : now;
    // What one of several readers gives up is the next one's only when the others do, too.
    [tone, who, headline] = ['quiet', page.reads ? '' : to, ['state.lost.handed_over', { name: person(to) }]];
  } else if (loss.how === 'taken_over' && loss.by && lock.isMe(loss.by)) {
    headline = ['state.lost.self', { at }];
  } else if (loss.how === 'taken_over' || loss.how === 'force_released') {
    headline = [`state.lost.${loss.how}`, { name: taker, at }];
  } else {
    [who, headline] = [now, [`state.lost.${loss.how}`]];
  }
  /** @type {Sentence[]} */
  const details = [['state.lost.readonly']];
  if (loss.reason && tone === 'lost' && !lock.isMe(loss.by ?? me)) details.unshift(['state.lost.reason', { reason: loss.reason }]);
  if (page.left) details.push(['state.lost.kept']);
  /** @type {Offer[]} */
  let offers = ['edit'];
  if (holder) offers = lock.isMe(holder.owner) ? ['continue'] : offersOf(lock, me, page, 'wait');
  return { tone, who: who || undefined, headline, details, offers };
}
