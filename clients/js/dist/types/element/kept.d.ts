export type Text = {
    at: string;
    fields: Record<string, string>;
};
/** Fires "change" when the text left behind is another. */
export declare class Kept extends EventTarget {
    #private;
    /** @param {string} key of the person and the object */
    constructor(key: string);
    stop(): void;
    /**
     * draft remembers the fields being typed.
     * @param {Record<string, string>} fields
     */
    draft(fields: Record<string, string>): void;
    /**
     * leave makes the draft a text left behind; a field left twice keeps the
     * newer text. To be called only while no page of this person is typing.
     */
    leave(): boolean;
    /** @returns {Text | null} the text left behind */
    get left(): Text | null;
    /**
     * compare throws away what the form says too: it was saved after all.
     * @param {Record<string, string>} fields
     */
    compare(fields: Record<string, string>): void;
    discard(): void;
}
