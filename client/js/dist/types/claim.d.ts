import type { Editlock } from './client.js';
import type { Mutex, MutexID, Owner } from './types.js';
/** @import { Editlock } from './client.js' */
/** @import { Mutex, MutexID, Owner } from './types.js' */
export declare class Claim {
    #private;
    /**
     * @param {Editlock} client
     * @param {MutexID} mutex
     * @param {{auto_release: object, grant_after?: string}} terms as calls state them
     * @param {{sharing?: string, limit?: number}} share who may hold it too, as captures state it
     */
    constructor(client: Editlock, mutex: MutexID, terms: {
        auto_release: object;
        grant_after?: string;
    }, share: {
        sharing?: string;
        limit?: number;
    });
    /** Names the present asking. It is kept with the lock as its status data: so a late release of one page never frees the lock of the next. */
    get request(): string;
    /** begin is a new asking. */
    begin(): Promise<string>;
    /** What every call that asks for the mutex states. */
    get body(): {
        auto_release: object;
        grant_after?: string;
        mutex: MutexID;
        owner: Owner;
        status_data: string;
    };
    /** What a capture states: a takeover keeps the sharing of the hold in whose place it is. */
    get capture(): {
        auto_release: object;
        grant_after?: string;
        sharing?: string;
        limit?: number;
        mutex: MutexID;
        owner: Owner;
        status_data: string;
        if: {
            free: boolean;
        };
    };
    /**
     * isMe tells the same person, in this browser or in another one. A session
     * belongs to a user: that of another user in it is not this reader's, nor is
     * an agent that acts with the reader's session or user.
     * @param {Owner} owner
     */
    isMe(owner: Owner): boolean;
    /**
     * isTabs tells a hold of this person in this tab.
     * @param {Mutex} holder
     */
    isTabs(holder: Mutex): boolean;
    /**
     * take captures the mutex, or takes up this tab's own hold.
     * @param {() => boolean} wanted whether it still is
     * @returns {Promise<{mutex: Mutex, note: ''|'kept'}>}
     */
    take(wanted: () => boolean): Promise<{
        mutex: Mutex;
        note: '' | 'kept';
    }>;
    /**
     * giveBack ends what an asking got.
     * @param {string} [request]
     * @returns {Promise<boolean>} false: there was nothing to give back
     */
    giveBack(request?: string): Promise<boolean>;
    /**
     * leave is giveBack from a page that goes away.
     * @param {string} grace
     */
    leave(grace: string): void;
    /**
     * abandon gives up a place in the queue.
     * @param {string} key
     */
    abandon(key: string): void;
}
