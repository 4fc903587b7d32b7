import type { Text } from './shelf.js';
/** Fires "change" when the text left behind, or whether it is stored, is another. */
export declare class Kept extends EventTarget {
    #private;
    /** @param {string} key of the person and the object */
    constructor(key: string);
    /** written waits until all is stored that can be. */
    written(): Promise<void[]>;
    stop(): Promise<void>;
    /** @returns {Text | null} the text left behind */
    get left(): Text | null;
    /** Whether the text left behind is stored in this browser; null: not known yet. */
    get safe(): boolean | null;
    /** Whether what is being typed cannot be stored in this browser. */
    get unsafe(): boolean;
    /**
     * draft remembers the fields being typed.
     * @param {Record<string, string>} fields
     */
    draft(fields: Record<string, string>): void;
    /**
     * leave makes the draft a text left behind, that of a page which is gone,
     * too; a field left twice keeps the newer text. To be called only while no
     * page of this person is typing.
     */
    leave(): boolean;
    /**
     * compare throws away what the form says too: it was saved after all.
     * @param {Record<string, string>} fields
     */
    compare(fields: Record<string, string>): void;
    discard(): void;
}
