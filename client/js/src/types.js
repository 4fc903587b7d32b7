// The server's JSON forms, as /openapi.json describes them.

/** @typedef {{group?: string, mode?: string, id: string, part?: string}} MutexID part: of the object, such as a section of a form; absent: the whole of it */

/** @typedef {{group: string, mode: string, id?: string, part?: string, below?: boolean}} Named what an answer names; below: all of a group, or of a group and mode */

/** @typedef {{session: string, user_id?: string, login?: string, name?: string, host?: string, kind?: OwnerKind, on_behalf_of?: string}} Owner kind: absent, a person; on_behalf_of: whom an agent or a job acts for */

/** @typedef {'person' | 'agent' | 'job'} OwnerKind */

/** @typedef {{id: string, owner: Owner, since: string, message: string, grant_at: string | null}} Waiter */

/**
 * A held mutex. Times are RFC 3339 in UTC, by the store's clock.
 * @typedef {object} Mutex
 * @property {Named} mutex of a holder: what they hold, which may be above or below what was asked for
 * @property {Owner} owner
 * @property {string} status_data
 * @property {number} token rises with each change of holder
 * @property {string} captured_at
 * @property {string} refreshed_at
 * @property {string | null} expires_at null: never
 * @property {number | null} expires_in_s seconds from as_of to expires_at
 * @property {string} as_of the store's clock when it looked
 * @property {number} waiting how many wait
 * @property {Waiter[]} waiters the first 20 of them
 * @property {'exclusive' | 'shared'} [sharing] who may hold it too: nobody, or all who share it; absent with a limit
 * @property {number} [limit] at most so many hold it at once
 * @property {number} [beside] how many others hold it too; absent in lists
 * @property {Draining} [draining] who waits for something above it; absent in lists
 */

/** @typedef {{mutex: Named, by: Owner, since: string, message?: string}} Draining a wait for all of something: nobody else gets any of it */

/**
 * An entry of the history, which is also an event.
 * @typedef {object} Entry
 * @property {number} seq
 * @property {string} kind captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared or upgraded
 * @property {Named} mutex
 * @property {Owner} owner who holds it, or held it until this
 * @property {Owner} actor who did it
 * @property {Owner | null} other who lost it to a takeover, got it, or was declined
 * @property {number} token
 * @property {string} at
 * @property {string} reason
 * @property {'exclusive' | 'shared'} [sharing] of the hold; absent with a limit
 * @property {number} [limit] of the hold
 * @property {number} [replaced] of taken_over: the token of the shared hold whose place this one took
 */

/**
 * Why the server refused (RFC 9457).
 * @typedef {object} Problem
 * @property {string} code busy, conflict, lost, changed, not_held, invalid, unauthenticated, forbidden, unavailable, …
 * @property {string} [title]
 * @property {string} [detail]
 * @property {string} [field]
 * @property {Named} [mutex] of lost: what was lost
 * @property {Mutex} [holder] who is in the way; of conflict: how it is held
 * @property {Mutex[]} [holders] of busy, where several hold it: the first 20 of them
 * @property {number} [holders_total] of busy, where several hold it: how many do
 * @property {boolean} [self] the holder is the caller, as the same session or user
 * @property {{by: Owner | null, at: string, message: string}} [declined] the holder's answer to a waiter
 * @property {string} [how] of lost: expired, taken_over, force_released, handed_over or released
 * @property {Owner} [by] of lost: who ended it
 * @property {string} [at]
 * @property {string} [reason]
 * @property {string} [seen] of changed, a code of save guards: the version that the save was made of
 * @property {string | null} [current] of changed: the version that the record has; null: it is gone
 */

/**
 * How a lock was lost. Besides the server's ways there is "inactive": nobody
 * typed for too long, and this page gave it back by itself.
 * @typedef {{how: string, by?: Owner, to?: Owner, at?: string, reason?: string}} Loss
 */

/** @typedef {'unsaved'|'editing'|'looking'} LookState what a page does with a record */

/** @typedef {{owner: Owner, state: LookState | 'idle', since: string}} Person who looks */

/** @typedef {{people: Person[], count: number}} People who else looks: the first 20, and how many */

/** @typedef {{owner: Owner, captured_at: string, mine: boolean}} Reader an owner of a shared lock */

/** @typedef {People & {holder: Owner | null, captured_at: string | null, mine: boolean, readers: Reader[]}} RecordState a record of a list: also who edits it, or who reads it under a shared lock, so that nobody can edit */

/**
 * - closed    not asked for, or given back by this page
 * - opening   asking for it
 * - mine      held; refreshed by the client's beat
 * - checking  held as far as this page knows, but not for sure: hands off
 * - other     somebody else holds it
 * - self      so does another page of the same person
 * - waiting   in the queue
 * - free      nobody holds it
 * - lost      it was mine; loss says how it ended
 * - error     the server refused, or is away; problem says which
 * @typedef {'closed'|'opening'|'mine'|'checking'|'other'|'self'|'waiting'|'free'|'lost'|'error'} State
 */

/**
 * @typedef {object} Terms
 * @property {string} [idle] freed so long after the last refresh, such as "300s" (the default), or "never"
 * @property {string} [maxHold] freed so long after the capture, refreshed or not
 * @property {string} [grantAfter] who asks with a message gets it if this holder doesn't answer so long
 * @property {'exclusive' | 'shared'} [sharing] shared: held together with all who hold it shared, too
 * @property {number} [limit] at most so many may hold it at once, who all say so; goes without sharing
 * @property {string} [inactiveAfter] given back after so long without input, or "never"; default "15m"
 * @property {() => boolean | Promise<boolean>} [unchanged] tells, after a break, whether the page still shows
 *   the newest text; default: it does if nobody else has held the lock
 */

export {};
