import type { Waiter } from '../types.js';
export type Waits = Pick<Waiter, 'id' | 'owner'> & {
    message?: string;
};
/** What one element has to tell. */
export declare class Notice {
    #private;
    /** Of title, icon and desktop. */
    ways: string[];
    /** @type {Set<string>} who waits since the reader looked away */
    unseen: Set<string>;
    /** @param {(waiter: Waits, title: string) => {title: string, body: string, lang: string}} sentence the notice about a waiter */
    constructor(sentence: (waiter: Waits, title: string) => {
        title: string;
        body: string;
        lang: string;
    });
    /** Whether the reader could still be asked for notifications of the desktop. */
    get mayAsk(): boolean;
    /**
     * tell takes who waits for this reader now.
     * @param {Waits[]} waiters
     */
    tell(waiters: Waits[]): void;
    stop(): void;
}
