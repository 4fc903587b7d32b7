import type { Lock } from '../lock.js';
import type { Owner } from '../types.js';
import type { Speech, Values } from './dom.js';
export type Sentence = [key: string, values?: Values];
export type Offer = 'edit' | 'wait' | 'takeover' | 'take' | 'continue' | 'leave' | 'retry' | 'stop' | 'notify';
export type Shown = {
    tone: string;
    who?: string;
    headline: Sentence;
    details: Sentence[];
    offers: Offer[];
};
export type Page = {
    /**
     * whether text was left behind
     */
    left: boolean;
    /**
     * whether opening is the reader's choice
     */
    manual: boolean;
    /**
     * whether notifications may be offered
     */
    notify: boolean;
    /**
     * whether unsaved text cannot be stored in this browser
     */
    unsafe: boolean;
    /**
     * whether the page only reads
     */
    reads: boolean;
};
/**
 * @param {Lock} lock
 * @param {Speech} speech
 * @param {Owner} me
 * @param {Page} page
 * @returns {Shown}
 */
export declare function describe(lock: Lock, speech: Speech, me: Owner, page: Page): Shown;
