import { EditlockError } from './api.js';
import type { Loss, Mutex, MutexID, Named, Owner, Problem, State, Terms } from './types.js';
import type { Editlock } from './client.js';
import type { Moment } from './clock.js';
/** Fires "change" after each change of its properties. */
export declare class Lock extends EventTarget {
    #private;
    mutex: {
        group: string;
        mode: string;
        id: string;
        part?: string | undefined;
    };
    /** In milliseconds; Infinity: never. */
    inactiveAfter: number;
    /** @type {State} */
    state: State;
    /** @type {Mutex | null} who has it, as far as is known; of several this session, or else the first */
    holder: Mutex | null;
    /** @type {Mutex[]} all who have it, as far as is known, the first 20; holder.beside counts the others */
    holders: Mutex[];
    /** @type {''|'granted'|'back'|'kept'|'declined'|'timeout'|'changed'|'forbidden'} why the state is so, where that needs saying */
    note: '' | 'granted' | 'back' | 'kept' | 'declined' | 'timeout' | 'changed' | 'forbidden';
    /** What a holder said who declined. */
    answer: string;
    /** @type {Loss | null} of lost */
    loss: Loss | null;
    /** @type {EditlockError | null} of error */
    problem: EditlockError | null;
    online: boolean;
    /** Not online because the server limits this caller's requests. */
    limited: boolean;
    /** @type {Date | null} of mine: when the server frees it if it hears nothing; null: never */
    until: Date | null;
    /** When something was last heard of what others hold above or below it, of performance.now(). */
    around: number;
    /** @type {Date | null} of mine: when this page gives it back unless somebody types; null: not soon */
    inactiveAt: Date | null;
    /**
     * Made by Editlock.lock.
     * @param {Editlock} client
     * @param {MutexID} mutex
     * @param {Terms} terms
     */
    constructor(client: Editlock, mutex: MutexID, { idle, maxHold, grantAfter, sharing, limit, inactiveAfter, unchanged }: Terms);
    /** The fencing token; 0 while the lock is not this page's. */
    get token(): number;
    /** What a save must carry, so that the server can refuse it once the lock is lost. */
    get headers(): Record<string, string>;
    /** This browser's number in the queue; 0: not known. */
    get place(): number;
    /** How often to ask the server about it, in ms. */
    get every(): number;
    /**
     * names tells whether a holder's mutex is this one; else it is above or below.
     * @param {Named} mutex
     */
    names({ id, part }: Named): boolean;
    /** @param {Owner} owner the same person, in this browser or in another one */
    isMe(owner: Owner): boolean;
    /** open asks for the lock. A reload finds its tab's own one again. */
    open(): Promise<void>;
    /**
     * release gives the lock back, or leaves the queue, for good.
     * @returns {Promise<boolean>} false: it was lost before, by what the server says
     */
    release(): Promise<boolean>;
    /**
     * leave is release from a page that goes away, perhaps only to be loaded
     * again: the lock is freed after a grace time, unless the next page refreshes it.
     * @param {string} grace
     */
    leave(grace: string): boolean;
    /**
     * wait queues until the lock is this page's, the holder declines, or stopWaiting.
     * @param {string} [message] asks the holder to hand over
     */
    wait(message?: string): Promise<void>;
    stopWaiting(): void;
    /**
     * takeOver takes the lock from a holder, who is told the reason. It is
     * refused, with the note "changed", if somebody else holds it by now. The
     * sharing or limit stays what it was.
     * @param {string} reason
     * @param {number} [seen] the token of the holder whom the reader saw; default: the last one heard of
     */
    takeOver(reason: string, seen?: number): Promise<void>;
    /** handOver gives the lock to the first who waits. */
    handOver(): Promise<void>;
    /**
     * decline sends a waiter away with an answer.
     * @param {string} waiter its id
     * @param {string} [message]
     */
    decline(waiter: string, message?: string): Promise<void>;
    /** peek looks who holds it, and goes on looking, without asking for it. */
    peek(): Promise<void>;
    /**
     * look asks who holds it now. Calls during a look share one more. Where that
     * is forbidden, nothing is asked until the reader does.
     */
    look(): Promise<void>;
    /**
     * sure is asked before each keystroke: false once the lock may have been
     * given away, though no timer has fired (after a sleep, for example).
     */
    sure(): boolean;
    /** check refreshes the lock now, or learns that it is lost. */
    check(): void;
    /**
     * beaten takes the answer to a refresh that was sent with a token.
     * @param {(Mutex & {code?: undefined}) | (Problem & {token?: undefined})} result
     * @param {Moment} sent
     * @param {number} token
     */
    beaten(result: (Mutex & {
        code?: undefined;
    }) | (Problem & {
        token?: undefined;
    }), sent: Moment, token: number): void;
    /**
     * missed takes the failure of a refresh.
     * @param {EditlockError} e
     */
    missed(e: EditlockError): void;
    /**
     * ended takes a "lost" problem, from the beat or from a save that was
     * refused. What merely expired, while nobody held it and the text is still
     * the newest, is taken up again as if nothing had been.
     * @param {Problem} problem
     */
    ended(problem: Problem): Promise<void>;
    /** retire gives the lock back because nobody has typed for so long. */
    retire(): void;
    /** @param {Date | null} at */
    warn(at: Date | null): void;
}
