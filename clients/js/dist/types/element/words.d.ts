/** @type {Record<'en' | 'ru', Record<string, string>>} */
export declare const tables: Record<'en' | 'ru', Record<string, string>>;
