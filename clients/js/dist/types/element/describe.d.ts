import type { Lock } from '../lock.js';
import type { Owner } from '../types.js';
import type { Speech, Values } from './dom.js';
export type Sentence = [key: string, values?: Values];
export type Offer = 'edit' | 'wait' | 'takeover' | 'continue' | 'leave' | 'retry' | 'stop' | 'notify';
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
};
/** @import { Lock } from '../lock.js' */
/** @import { Owner } from '../types.js' */
/** @import { Speech, Values } from './dom.js' */
/** @typedef {[key: string, values?: Values]} Sentence */
/** @typedef {'edit'|'wait'|'takeover'|'continue'|'leave'|'retry'|'stop'|'notify'} Offer */
/** @typedef {{tone: string, who?: string, headline: Sentence, details: Sentence[], offers: Offer[]}} Shown */
/**
 * What is known beside the lock.
 * @typedef {object} Page
 * @property {boolean} left whether text was left behind
 * @property {boolean} manual whether opening is the reader's choice
 * @property {boolean} notify whether notifications may be offered
 * @property {boolean} unsafe whether unsaved text cannot be stored in this browser
 */
/** @param {Owner} o the most readable of an owner's fields */
export declare const label: (o: Owner) => string;
/**
 * @param {Lock} lock
 * @param {Speech} speech
 * @param {Owner} me
 * @param {Page} page
 * @returns {Shown}
 */
export declare function describe(lock: Lock, speech: Speech, me: Owner, page: Page): Shown;
