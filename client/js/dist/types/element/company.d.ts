import type { Editlock } from '../client.js';
import type { Lock } from '../lock.js';
import type { MutexID } from '../types.js';
import type { Speech } from './dom.js';
/** @type {Record<'en' | 'ru', Record<string, string>>} */
export declare const tables: Record<'en' | 'ru', Record<string, string>>;
export declare class Company {
    #private;
    /**
     * @param {Editlock} client
     * @param {MutexID} mutex
     * @param {ShadowRoot} root with a banner
     * @param {Speech} speech
     */
    constructor(client: Editlock, mutex: MutexID, root: ShadowRoot, speech: Speech);
    /** Ends this page's presence. */
    stop(): void;
    /**
     * show draws the others beside a lock, and tells them what this page does.
     * @param {Lock} lock
     * @param {boolean} unsaved
     */
    show(lock: Lock, unsaved: boolean): void;
}
