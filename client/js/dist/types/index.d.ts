export { Editlock } from './client.js';
export { EditlockError } from './api.js';
export { Lock } from './lock.js';
export type Options = import('./client.js').Options;
export type Connection = import('./api.js').Connection;
export type State = import('./types.js').State;
export type Terms = import('./types.js').Terms;
export type MutexID = import('./types.js').MutexID;
export type Owner = import('./types.js').Owner;
export type Waiter = import('./types.js').Waiter;
export type Mutex = import('./types.js').Mutex;
export type Entry = import('./types.js').Entry;
export type Problem = import('./types.js').Problem;
export type Loss = import('./types.js').Loss;
export type LookState = import('./types.js').LookState;
export type Person = import('./types.js').Person;
export type People = import('./types.js').People;
export type RecordState = import('./types.js').RecordState;
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
