export type Control = HTMLInputElement & HTMLTextAreaElement;
export declare class Guard {
    #private;
    /**
     * @param {HTMLElement} host
     * @param {() => boolean} may is asked before each change that the reader makes
     */
    constructor(host: HTMLElement, may: () => boolean);
    start(): void;
    /** wake takes over from a page that keeps its form inert until somebody guards it. */
    wake(): void;
    /** stop gives the page back as it would be without the element. */
    stop(): void;
    /** @param {boolean} writable */
    set(writable: boolean): void;
    /** controls are the fields whose text somebody would miss. */
    get fields(): Control[];
}
/** @param {Element} e */
export declare const nameOf: (e: Element) => string;
/** @param {Control} e */
export declare function labelOf(e: Control): string;
/**
 * valuesOf reads fields as texts by name.
 * @param {Control[]} fields
 */
export declare function valuesOf(fields: Control[]): Record<string, string>;
/**
 * shown is a value as the form shows it: an option by its text.
 * @param {Control | undefined} e
 * @param {string} value
 */
export declare function shown(e: Control | undefined, value: string): any;
/**
 * write puts a text into a field as if it had been typed, so that frameworks
 * notice.
 * @param {Control[]} fields all of one name
 * @param {string} value
 */
export declare function write(fields: Control[], value: string): void;
