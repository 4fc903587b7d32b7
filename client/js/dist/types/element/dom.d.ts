import type { Owner } from '../types.js';
export type Values = Record<string, string | number | Node>;
/** @import { Owner } from '../types.js' */
/** @typedef {Record<string, string | number | Node>} Values */
/** @param {Owner} o the most readable of an owner's fields */
export declare const label: (o: Owner) => string;
/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties] part and aria-… and data-… are attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export declare function element<T extends keyof HTMLElementTagNameMap>(tag: T, properties?: Record<string, any>, ...children: (Node | string)[]): HTMLElementTagNameMap[T];
/**
 * put replaces what an element says. One that says it already is left alone,
 * so that nothing is read out twice.
 * @param {Element} target
 * @param {Node[]} nodes
 */
export declare function put(target: Element, nodes: Node[]): void;
/** @param {string} text what somebody wrote, which does not change the order of the text around it */
export declare const bdi: (text: string) => HTMLElement;
/** @param {string} name a name that stands out in a sentence */
export declare const person: (name: string) => HTMLElement;
/** @param {string} name */
export declare function badge(name: string): HTMLSpanElement;
/** Speaks one language to one reader. */
export declare class Speech {
    #private;
    lang: "en" | "ru";
    /**
     * @param {string} lang
     * @param {(at: string) => Date} date what a time of the server is on this computer's clock
     */
    constructor(lang: string, date: (at: string) => Date);
    /**
     * reads is the key of what is said of somebody who reads, where that is another text.
     * @param {string} key
     * @param {boolean} [does]
     */
    reads(key: string, does?: boolean): string;
    /**
     * text fills {name} in the text of a key.
     * @param {string} key
     * @param {Record<string, string | number>} [values]
     */
    text(key: string, values?: Record<string, string | number>): string;
    /**
     * nodes is text with values that may be nodes; texts among them keep to themselves.
     * @param {string} key
     * @param {Values} [values]
     */
    nodes(key: string, values?: Values): Node[];
    /**
     * owner is a name that stands out, with what it is of unless it is a person's.
     * @param {Owner} o
     */
    owner(o: Owner): HTMLSpanElement;
    /**
     * time shows a moment: the clock, with the day if it is not today.
     * @param {string | Date | undefined} at a time of the server, or a Date of this computer
     */
    time(at: string | Date | undefined): HTMLTimeElement;
}
