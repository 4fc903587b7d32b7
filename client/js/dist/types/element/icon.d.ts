/** @param {string} address of the icon */
export declare function dotted(address: string): Promise<string>;
