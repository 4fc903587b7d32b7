// Who looks at this page, and which lock a document has.

import { root } from './api.js';
import { Editlock } from './editlock/editlock.js';

const { session, user, name, group } = document.body.dataset;

export const client = new Editlock({ server: root, owner: { session, user_id: user, name } });

// isMe: the same browser, or the same person in another one; no program that acts for them.
export const isMe = (owner) => !owner.kind && (owner.session === session || (owner.user_id !== '' && owner.user_id === user));

export const lockGroup = group;

export const mutexOf = (element) => ({ group, mode: element.dataset.kind, id: element.dataset.number });

// sameMutex says whether two are of one document, or of parts of it.
export const sameMutex = (a, b) => a.group === b.group && a.mode === b.mode && a.id === b.id;

export const label = (owner) => owner.name || owner.login || owner.user_id || owner.session;
