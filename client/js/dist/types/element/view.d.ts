import type { Lock } from '../lock.js';
import type { Owner, Waiter } from '../types.js';
import type { Offer, Page } from './describe.js';
import type { Speech } from './dom.js';
import type { Text } from './shelf.js';
export type Acts = Record<Offer, () => void> & {
    decline: (waiter: Waiter) => void;
    handOver: () => void;
    restore: () => void;
    discard: () => void;
    copied: () => void;
    show: () => void;
};
/**
 * What the reader asks for.
 * @typedef {Record<Offer, () => void> & {
 *   decline: (waiter: Waiter) => void, handOver: () => void,
 *   restore: () => void, discard: () => void, copied: () => void, show: () => void,
 * }} Acts
 */
export declare class View {
    #private;
    /** @type {Record<string, string>} */
    values: Record<string, string>;
    /**
     * @param {ShadowRoot} root
     * @param {Speech} speech
     * @param {Acts} acts
     */
    constructor(root: ShadowRoot, speech: Speech, acts: Acts);
    /**
     * @param {Lock} lock
     * @param {Owner} me
     * @param {Page} page
     */
    banner(lock: Lock, me: Owner, page: Page): void;
    /**
     * waiters draws the queue while the lock is held here.
     * @param {Lock} lock
     * @param {boolean} save whether handing over has something to save first
     */
    waiters(lock: Lock, save: boolean): void;
    /**
     * kept draws the text left behind, beside what is stored now.
     * @param {Text | null} left
     * @param {{writable: boolean, safe: boolean | null}} page whether the form can be changed; whether the text is stored
     * @param {(name: string, value: string) => {label: string, mine: string, stored: string}} field
     */
    kept(left: Text | null, { writable, safe }: {
        writable: boolean;
        safe: boolean | null;
    }, field: (name: string, value: string) => {
        label: string;
        mine: string;
        stored: string;
    }): void;
    /**
     * ask resolves to what was written, or null if the reader thought better of it.
     * @param {'wait' | 'takeover' | 'decline'} about
     * @param {Owner} owner of whom
     * @param {boolean} [reads] whether they only read
     * @returns {Promise<string | null>}
     */
    ask(about: 'wait' | 'takeover' | 'decline', owner: Owner, reads?: boolean): Promise<string | null>;
}
