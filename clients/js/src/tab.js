// Which tab this is. The ID survives a reload, and is new in a duplicated tab,
// whose session storage begins as a copy of the first one's.

// Frames share the storage of their tab. A server that renders pages has neither.
const part = globalThis.window === globalThis.top ? '' : `-${location.pathname}`;
const key = `editlock-tab${part}`;
// Set only while this tab is between two pages.
const leftKey = `editlock-left${part}`;

/** An ID that nobody can guess; in an insecure context too, unlike crypto.randomUUID. */
export const newID = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(9)), (b) => b.toString(36).padStart(2, '0')).join('');

// Storage may be forbidden; then each page is a tab of its own.
/** @param {() => Storage} storage */
const memory = (storage) => ({
  /** @param {string} name */
  get(name) { try { return storage().getItem(name); } catch { return null; } },
  /**
   * @param {string} name
   * @param {string | null} value null removes
   */
  set(name, value) {
    try {
      if (value === null) storage().removeItem(name);
      else storage().setItem(name, value);
      return true;
    } catch {
      return false;
    }
  },
});
export const session = memory(() => sessionStorage);
export const local = memory(() => localStorage);

/**
 * hold keeps a tab's ID for as long as the page lives.
 * @param {string} id
 * @param {boolean} ifAvailable false: when its holder is gone
 * @returns {Promise<boolean>} false: another page holds it
 */
const hold = (id, ifAvailable = true) => new Promise((done) => {
  navigator.locks.request(`editlock-tab-${id}`, { ifAvailable }, (lock) => {
    done(lock !== null);
    return lock && new Promise(() => {});
  }).catch(() => done(true)); // the page is going
});

async function find() {
  const stored = session.get(key);
  const returned = stored !== null && session.get(leftKey) === stored;
  session.set(leftKey, null);
  let id = stored ?? newID();
  if (navigator.locks) {
    if (!await hold(id)) {
      // Either this page's predecessor is still going away, or the storage is
      // a copy from a tab that lives.
      if (!returned) id = newID();
      hold(id, false);
    }
  } else if (!returned) {
    id = newID();
  }
  session.set(key, id);
  addEventListener('pagehide', () => session.set(leftKey, id));
  addEventListener('pageshow', (e) => e.persisted && session.set(leftKey, null));
  return id;
}

/** @type {Promise<string> | undefined} */
let found;
export const tabID = () => found ??= find();

/** browserSession is the session of who has no login: one per browser profile. */
export function browserSession() {
  const known = local.get('editlock-session');
  const id = known ?? `browser-${newID()}`;
  if (!known) local.set('editlock-session', id);
  return id;
}
