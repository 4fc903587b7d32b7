import type { Control } from './fields.js';
export type Tells = {
    /**
     * is asked before each change that the reader makes
     */
    may: () => boolean;
    /**
     * the reader may be about to change something
     */
    begins: () => void;
    /**
     * the reader may have changed something
     */
    typed: () => void;
    /**
     * the reader did something in a frame, which the page does not hear
     */
    active: () => void;
};
/**
 * What the element is told.
 * @typedef {object} Tells
 * @property {() => boolean} may is asked before each change that the reader makes
 * @property {() => void} begins the reader may be about to change something
 * @property {() => void} typed the reader may have changed something
 * @property {() => void} active the reader did something in a frame, which the page does not hear
 */
export declare class Guard {
    #private;
    /**
     * @param {HTMLElement} host
     * @param {Tells} tells
     */
    constructor(host: HTMLElement, tells: Tells);
    start(): void;
    /** wake takes over from a page that keeps its form, or a fieldset, inert until somebody guards it. */
    wake(): void;
    /** stop gives the page back as it would be without the element. */
    stop(): void;
    /** @param {boolean} writable */
    set(writable: boolean): void;
    /** The fields whose text somebody would miss. */
    get fields(): Control[];
}
