// editlock in the browser. See README.md.

export { Editlock } from './client.js';
export { EditlockError } from './api.js';
export { Lock } from './lock.js';

/** @typedef {import('./client.js').Options} Options */
/** @typedef {import('./api.js').Connection} Connection */
/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Terms} Terms */
/** @typedef {import('./types.js').MutexID} MutexID */
/** @typedef {import('./types.js').Owner} Owner */
/** @typedef {import('./types.js').Waiter} Waiter */
/** @typedef {import('./types.js').Mutex} Mutex */
/** @typedef {import('./types.js').Entry} Entry */
/** @typedef {import('./types.js').Problem} Problem */
/** @typedef {import('./types.js').Loss} Loss */
/** @typedef {import('./types.js').LookState} LookState */
/** @typedef {import('./types.js').Person} Person */
/** @typedef {import('./types.js').People} People */
/** @typedef {import('./types.js').RecordState} RecordState */
