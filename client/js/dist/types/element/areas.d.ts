export declare const ignored = "[data-editlock=ignore], [data-editlock=ignore] *";
export type Area = HTMLElement | Document | ShadowRoot;
/** @typedef {HTMLElement | Document | ShadowRoot} Area */
/**
 * documentOf is what a frame shows; null: it is another origin's.
 * @param {HTMLIFrameElement} frame
 */
export declare function documentOf(frame: HTMLIFrameElement): Document | null;
/**
 * areas are an element, and what is within, at whatever depth.
 * @param {Area} root
 * @returns {Generator<Area, void>}
 */
export declare function areas(root: Area): Generator<Area, void>;
/**
 * sealed are the frames within an area that cannot be looked into.
 * @param {Area} area
 */
export declare const sealed: (area: Area) => HTMLIFrameElement[];
/**
 * mayHave tells whether something that came into a page may bring an area.
 * @param {MutationRecord} record
 */
export declare function mayHave({ addedNodes }: MutationRecord): boolean;
