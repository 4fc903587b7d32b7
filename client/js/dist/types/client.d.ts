import { API, EditlockError } from './api.js';
import { Lock } from './lock.js';
import type { Connection } from './api.js';
import type { Entry, MutexID, Owner, Terms } from './types.js';
export type Options = {
    /**
     * who the reader is. Without a session it is one per browser profile and person.
     */
    owner?: Partial<Owner>;
    /**
     * how long a lock outlives its page, for the next page to take it up; "4s"
     */
    grace?: string;
};
export declare class Editlock {
    #private;
    api: API;
    /** @type {(() => {body: object, heard: (results: any[] | undefined) => void} | null) | null} what goes along with the beat: see presence.js */
    rider: (() => {
        body: object;
        heard: (results: any[] | undefined) => void;
    } | null) | null;
    /** @param {Connection & Options} [options] */
    constructor({ owner, grace, ...connection }?: Connection & Options);
    /**
     * Who calls; may be replaced after a new login. Without a session it is one per browser profile and person.
     * @returns {Owner}
     */
    get owner(): Owner;
    /** @param {Owner} owner */
    set owner(owner: Owner);
    /**
     * lock returns the lock of an object. It asks for nothing before its open.
     * @param {MutexID} mutex
     * @param {Terms} [terms]
     */
    lock(mutex: MutexID, terms?: Terms): Lock;
    /**
     * inTurn lets one after the other of this page ask for a mutex. Where an element
     * is removed and put back at once, the earlier asking must not be answered after
     * the later one: each takes the tab's own lock for left from before.
     * @param {MutexID} mutex
     * @param {() => Promise<void>} ask
     */
    inTurn(mutex: MutexID, ask: () => Promise<void>): Promise<void>;
    /**
     * join takes a lock into the beat, until it leaves.
     * @param {Lock} lock
     * @param {(entry?: Entry) => void} tell
     */
    join(lock: Lock, tell: (entry?: Entry) => void): () => void;
    /**
     * watch tells of each event of a group (or else of a mode, or of one mutex);
     * without one: events may have been missed, look again.
     * @param {Partial<MutexID>} what
     * @param {(entry?: Entry) => void} tell
     * @returns {() => void} what ends it
     */
    watch({ group, mode, id }: Partial<MutexID>, tell: (entry?: Entry) => void): () => void;
    /**
     * releaseSession frees all that this session holds, in all tabs: for a logout.
     * @returns {Promise<MutexID[]>} what it was
     */
    releaseSession(): Promise<MutexID[]>;
    /** @param {string} asOf the server's clock just now */
    tick(asOf: string): void;
    /**
     * date is what a time of the server is on this computer's clock, so that
     * "since 12:04" fits the clock that the reader sees, whichever is wrong.
     * @param {string} time
     */
    date(time: string): Date;
    /**
     * reload loads the page again, however slowly: its locks wait for the next
     * page as long as the server lets them.
     */
    reload(): void;
    /** close gives everything back, and stops. */
    close(): Promise<void>;
    /**
     * reached is told that the server has given or confirmed a lock.
     * @param {boolean} begins its hold begins, so somebody is there
     */
    reached(begins: boolean): void;
    /**
     * limited puts off the next beat as long as the server asks for.
     * @param {EditlockError} e
     */
    limited(e: EditlockError): void;
    /** schedule sees to it that the next beat comes in time for every lock. */
    schedule(): void;
    /**
     * beat refreshes all locks of this page in one call. Calls during a beat that
     * asks for the same lock already share it.
     * @param {Lock} [lock]
     */
    beat(lock?: Lock): Promise<void>;
    /**
     * pause waits before another try; being online again ends it.
     * @param {number} failures
     * @param {AbortSignal} signal
     * @param {number} [least] ms
     */
    pause(failures: number, signal: AbortSignal, least?: number): Promise<any>;
    /**
     * waitSlot is the right to one more long call, so that waiting tabs leave
     * connections for others.
     * @param {AbortSignal} signal
     * @returns {Promise<() => void>} gives it back
     */
    waitSlot(signal: AbortSignal): Promise<() => void>;
    /** active tells that somebody is there, where the page does not hear it itself. */
    active(): void;
}
