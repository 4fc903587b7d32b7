export type Control = HTMLInputElement & HTMLTextAreaElement;
/** @param {Element} e */
export declare const nameOf: (e: Element) => string;
/** @param {Element} e */
export declare const isEditor: (e: Element) => boolean;
/**
 * called names editors that have no name by what is around them.
 * @param {Control[]} fields
 * @param {Element} host
 */
export declare function called(fields: Control[], host: Element): Control[];
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
 * and editors notice.
 * @param {Control[]} fields all of one name
 * @param {string} value
 */
export declare function write(fields: Control[], value: string): Promise<void>;
