export { Company } from './element/company.js';
import type { Editlock } from './client.js';
export type RecordState = import('./types.js').RecordState;
export type People = import('./types.js').People;
import type { LookState, MutexID } from './types.js';
export type Looking = {
    mutex: MutexID;
    state: LookState;
    tell: (people: People) => void;
    /**
     * the server does not tell about this one
     */
    refused: boolean;
};
/**
 * presence is the one of a client.
 * @param {Editlock} client
 * @returns {Presence}
 */
export declare function presence(client: Editlock): Presence;
export declare class Presence {
    #private;
    /** Made by presence. @param {Editlock} client */
    constructor(client: Editlock);
    /**
     * look makes this page present at a record, until stop is called.
     * @param {MutexID} mutex
     * @param {(people: People) => void} tell is called with who else looks, after each beat
     */
    look(mutex: MutexID, tell: (people: People) => void): {
        /** @param {LookState} state what this page does with it */
        set: (state: LookState) => void;
        stop: () => void;
    };
    /**
     * query resolves to the records of a list: who edits them, who reads them under a shared lock, and who looks.
     * @param {MutexID[]} mutexes
     * @returns {Promise<RecordState[]>} in their order; of those that the server does not tell about, nobody
     */
    query(mutexes: MutexID[]): Promise<RecordState[]>;
}
