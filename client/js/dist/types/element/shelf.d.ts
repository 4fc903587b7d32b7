export type Text = {
    at: string;
    fields: Record<string, string>;
};
/**
 * The text of a name, if it is a short one.
 * @param {string} name
 */
export declare const short: (name: string) => Text | null;
/**
 * The text of a name, of whatever length.
 * @param {string} name
 */
export declare function stored(name: string): Promise<Text | null>;
/**
 * keep puts a text in the place of the last one of its name, and tells whether
 * it is there now. A text that is not leaves the last one where it is.
 * @param {string} name
 * @param {Text | null} text null: none
 */
export declare function keep(name: string, text: Text | null): Promise<boolean>;
