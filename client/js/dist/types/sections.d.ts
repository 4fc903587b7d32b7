import type { Problem } from './types.js';
import type { EditLockElement } from './element.js';
/**
 * sections are those of a form.
 * @param {HTMLFormElement} form
 * @returns {Sections}
 */
export declare function sections(form: HTMLFormElement): Sections;
/**
 * join makes an element a section of its form, until the signal.
 * @param {EditLockElement} element
 * @param {HTMLFormElement} form
 * @param {AbortSignal} signal
 */
export declare const join: (element: EditLockElement, form: HTMLFormElement, signal: AbortSignal) => void;
export declare class Sections {
    #private;
    /** Made by sections. @param {HTMLFormElement} form */
    constructor(form: HTMLFormElement);
    /** Those whose text is not stored, in the order of the form. */
    get changed(): EditLockElement[];
    /** The tokens of all parts that changed, as servers read them: part=token, with commas between. */
    get tokens(): string;
    /** What a save of all parts that changed must carry. */
    get headers(): Record<string, string>;
    /** saved tells that what these parts say is stored now; default: those that changed. */
    saved(elements?: EditLockElement[]): void;
    /**
     * refused takes the server's problem that a save was refused with: of lost, it is that of
     * one part, and the others keep what was typed.
     * @param {Problem} problem
     */
    refused(problem: Problem): void;
    /**
     * @param {EditLockElement} element
     * @param {AbortSignal} signal
     */
    join(element: EditLockElement, signal: AbortSignal): void;
}
