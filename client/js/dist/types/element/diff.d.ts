export type Piece = {
    text: string;
    same: boolean;
};
/**
 * diff returns the pieces of a text, each the same in the other or not.
 * @param {string} text
 * @param {string} other
 * @returns {Piece[]}
 */
export declare function diff(text: string, other: string): Piece[];
