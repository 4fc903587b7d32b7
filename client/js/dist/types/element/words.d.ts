export declare const languages: readonly ['en', 'ru'];
/** @type {Record<string, string[]>} */
export declare const words: Record<string, string[]>;
