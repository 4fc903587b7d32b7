import type { Lock } from '../lock.js';
import type { Owner } from '../types.js';
import type { Speech, Values } from './dom.js';
export type Sentence = [key: string, values?: Values];
export type Offer = 'edit' | 'wait' | 'takeover' | 'continue' | 'leave' | 'retry' | 'stop';
export type Shown = {
    tone: string;
    who?: string;
    headline: Sentence;
    details: Sentence[];
    offers: Offer[];
};
/** @import { Lock } from '../lock.js' */
/** @import { Owner } from '../types.js' */
/** @import { Speech, Values } from './dom.js' */
/** @typedef {[key: string, values?: Values]} Sentence */
/** @typedef {'edit'|'wait'|'takeover'|'continue'|'leave'|'retry'|'stop'} Offer */
/** @typedef {{tone: string, who?: string, headline: Sentence, details: Sentence[], offers: Offer[]}} Shown */
/** @param {Owner} o the most readable of an owner's fields */
export declare const label: (o: Owner) => string;
/**
 * @param {Lock} lock
 * @param {Speech} speech
 * @param {Owner} me
 * @param {{left: boolean, manual: boolean}} page whether text was left behind; whether opening is the reader's choice
 * @returns {Shown}
 */
export declare function describe(lock: Lock, speech: Speech, me: Owner, page: {
    left: boolean;
    manual: boolean;
}): Shown;
