// What happens, as the server tells it. Browsers open six connections to an
// HTTP/1.1 server, over all tabs, and a stream keeps one for itself: so one tab
// listens for all. When it goes, the next one takes its place, from where it
// left off.

import { EditlockError } from './api.js';
import { backoff } from './clock.js';

/** @import { API } from './api.js' */
/** @import { Entry } from './types.js' */

// The server shows every 15 s that it lives.
const silence = 40_000;

/** @param {number} ms */
const after = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string} name */
function share(name) {
  try {
    return new BroadcastChannel(name);
  } catch { /* nothing is shared */ }
}

/**
 * blocks are what an event stream sends, as the fields of each block.
 * @param {Response} response
 * @param {() => void} [alive] is called whenever anything comes, a heartbeat too
 * @returns {AsyncGenerator<Record<string, string>, void>}
 */
export async function* blocks(response, alive) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  for (let text = ''; ;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive?.();
    const whole = (text + decoder.decode(value, { stream: true })).split('\n\n');
    text = whole.pop() ?? '';
    for (const block of whole) {
      yield Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)).filter(([name]) => name));
    }
  }
}

/**
 * listen tells of each event; without one: events may have been missed, look
 * again.
 * @param {API} api
 * @param {string} query such as "group=crm"
 * @param {(entry?: Entry) => void} tell
 * @returns {() => void} what ends it
 */
export function listen(api, query, tell) {
  const name = `editlock ${api.base} ${query}`;
  const stop = new AbortController(), { signal } = stop;
  const channel = share(name);
  let last = '';

  /** @param {{id?: string, entry?: Entry, look?: boolean}} news */
  const hear = ({ id, entry, look }) => {
    last = id || last;
    if (entry || look) tell(entry);
  };
  /** @param {{id?: string, entry?: Entry, look?: boolean}} news */
  const spread = (news) => {
    if (signal.aborted) return;
    channel?.postMessage(news);
    hear(news);
  };
  if (channel) channel.onmessage = ({ data }) => hear(data);

  /** @param {AbortSignal} until */
  async function follow(until) {
    for (let failures = 1; !until.aborted; failures++) {
      let least = 0;
      try {
        await read(until, () => { failures = 0; });
      } catch (e) {
        // Refused: the next tab would be too. Calls still tell what happens.
        if (e instanceof EditlockError && !e.temporary) return new Promise(() => {});
        if (e instanceof EditlockError) least = e.retryAfter;
      }
      if (!until.aborted) await after(Math.max(backoff(Math.max(1, failures)), least));
    }
  }

  /**
   * @param {AbortSignal} until
   * @param {() => void} connected
   */
  async function read(until, connected) {
    const dead = new AbortController();
    let timer = setTimeout(() => dead.abort(), silence);
    try {
      const response = await api.fetch(`v1/events?${query}`, {
        signal: AbortSignal.any([until, dead.signal]),
        headers: { Accept: 'text/event-stream', .../** @type {Record<string, string>} */ (last ? { 'Last-Event-ID': last } : {}) },
      });
      connected();
      spread({ look: true });
      for await (const block of blocks(response, () => {
        clearTimeout(timer);
        timer = setTimeout(() => dead.abort(), silence);
      })) take(block);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {Record<string, string>} block */
  function take({ id, event, data }) {
    if (event === 'gap') spread({ id, look: true });
    else if (event !== 'problem') spread({ id, entry: data ? JSON.parse(data) : undefined });
  }

  if (navigator.locks) {
    navigator.locks.request(name, { signal }, () => Promise.race([
      follow(signal), new Promise((done) => signal.addEventListener('abort', done)),
    ])).catch(() => { if (!signal.aborted) followWhileSeen(); });
  } else {
    followWhileSeen();
  }

  // In an insecure context, and where site data are blocked, nobody can be
  // elected; few tabs are seen at once.
  function followWhileSeen() {
    let seen = new AbortController();
    const turn = () => {
      seen.abort();
      seen = new AbortController();
      if (!document.hidden) follow(AbortSignal.any([signal, seen.signal]));
    };
    document.addEventListener('visibilitychange', turn, { signal });
    turn();
  }

  return () => {
    stop.abort();
    channel?.close();
  };
}
