import { Editlock } from './index.js';
import type { Lock, Problem, State } from './index.js';
import type { Versions } from './element/version.js';
declare const Base: {
    new (): HTMLElement;
    prototype: HTMLElement;
};
/**
 * Attributes: object names what is edited (required), with group and mode, and object-part
 * a part of it; server
 * is the address of editlock ("/"); user, login, name and session say who the
 * reader is; idle ("300s"), max-hold, grant-after and inactive-after ("15m") are the
 * terms; sharing="shared" only reads, beside others who do, and keeps all of them from
 * being surprised by a change; manual waits for the reader to begin; token-field names a hidden field
 * that carries the token of a form sent without scripts; notify says how a holder
 * who looks elsewhere is told of who waits: "title" (the default), "icon" and "desktop",
 * or "off"; presence shows who else looks; version is that of the record as the page shows it.
 *
 * Fires "editlock-change" whenever its state, or what else it tells, changes, and
 * "edit-lock-changed" if a save is refused as the record changed past the lock.
 */
export declare class EditLockElement extends Base {
    #private;
    static observedAttributes: string[];
    /**
     * Gets the newest stored text, and returns what puts it into the form, which
     * is not called if it has become too late for that. Without reload, the page
     * is loaded again when what it shows may be old.
     * @type {(() => Promise<() => void>) | null}
     */
    reload: (() => Promise<() => void>) | null;
    /** @type {(() => boolean | Promise<boolean>) | null} whether the page still shows the newest text, after a break */
    unchanged: (() => boolean | Promise<boolean>) | null;
    /** @type {(() => boolean | Promise<boolean>) | null} saves; for "Save and hand over" */
    save: (() => boolean | Promise<boolean>) | null;
    /** @type {((name: string, text: string) => void) | null} puts a kept text, that typed told of, into an editor */
    restore: ((name: string, text: string) => void) | null;
    /** @type {Editlock | null} to be set before the element is in a page; default: one per server and reader */
    client: Editlock | null;
    constructor();
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(): void;
    /** The lock itself; null while the element is not in a page. */
    get lock(): Lock | null;
    /** @returns {State} */
    get state(): State;
    /** Whether the reader may type: the lock is held, not shared with others, and the newest text loaded. */
    get editable(): boolean;
    /** What a save must carry. @returns {Record<string, string>} */
    get headers(): Record<string, string>;
    /** The version of the record that the page shows. */
    get version(): string | null;
    set version(version: string | null);
    /**
     * send saves by fetch, with headers, one save at a time, and goes on with the version of the answer.
     * @param {Parameters<Versions['send']>} what a body that is a function is made when it is sent
     * @returns {Promise<Response>}
     */
    send(...what: Parameters<Versions['send']>): Promise<Response>;
    /** Whether the form has text that is not stored. */
    get unsaved(): boolean;
    /** saved tells that what the form says is stored now, or that these fields are; and as which version. */
    saved(fields?: {
        [x: string]: string;
    }, version?: string): void;
    /**
     * refused takes the server's problem that a save was refused with.
     * @param {Problem} problem
     */
    refused(problem: Problem): void;
    /**
     * typed tells that the reader types where the element sees nothing: in a
     * frame of another origin, on a canvas. Texts, by names, are kept like others.
     * @param {Record<string, string>} [texts]
     */
    typed(texts?: Record<string, string>): void;
    /** refresh shows the newest text, unless somebody types here. */
    refresh(): Promise<void>;
}
export {};
