export declare const style: CSSStyleSheet;
