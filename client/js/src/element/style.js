// How the element looks. A page changes it by custom properties named
// --editlock-…, and by ::part().

/** @type {Record<string, string>} */
const theme = {
  surface: 'light-dark(#ffffff, #1a211e)', ink: 'light-dark(#17211d, #e7ede9)', soft: 'light-dark(#53605a, #a3b0aa)',
  line: 'light-dark(#dbe1dc, #2d3733)', edge: 'light-dark(#8a968f, #6d7973)', field: 'light-dark(#ffffff, #121816)',
  accent: 'light-dark(#0d5c46, #58c79f)', 'on-accent': 'light-dark(#ffffff, #07211a)', focus: 'light-dark(#0a4fbf, #8fb8ff)',
  quiet: 'light-dark(#eef1ec, #101513)',
  mine: 'light-dark(#e3f3eb, #12302a)', 'mine-ink': 'light-dark(#0b4a38, #9fe3c8)', 'mine-edge': 'light-dark(#12835f, #3fae86)',
  other: 'light-dark(#fff2d8, #35290f)', 'other-ink': 'light-dark(#664100, #f6d48c)', 'other-edge': 'light-dark(#dd9a1a, #d79a2b)',
  wait: 'light-dark(#e7eefc, #17243f)', 'wait-ink': 'light-dark(#1f3f83, #b4cbff)', 'wait-edge': 'light-dark(#4a76d0, #5f8be6)',
  lost: 'light-dark(#fdeae6, #3a1813)', 'lost-ink': 'light-dark(#8c1f10, #ffb9ab)', 'lost-edge': 'light-dark(#cf3f2a, #e0604b)',
  padding: 'clamp(1rem, 2.5vw, 2rem)', radius: '9px',
};
const v = /** @param {string} name */ (name) => `var(--editlock-${name}, ${theme[name]})`;
const tone = /** @param {string} name */ (name) => `--tint: ${v(name)}; --text: ${v(`${name}-ink`)}; --bar: ${v(`${name}-edge`)};`;

const css = `
:host { display: block; }
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
h2, p, ol, dl, dd { margin: 0; padding: 0; }
ol { list-style: none; }
b { font-weight: 600; }
q { overflow-wrap: anywhere; white-space: pre-line; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid ${v('focus')}; outline-offset: 2px; }
button {
  font: inherit; font-weight: 500; line-height: 1.25; padding: .55rem .95rem; border-radius: ${v('radius')}; cursor: pointer;
  border: 1px solid ${v('edge')}; background: ${v('surface')}; color: ${v('ink')};
}
button:hover { border-color: ${v('ink')}; }
button.primary { background: ${v('accent')}; border-color: ${v('accent')}; color: ${v('on-accent')}; }
button.primary:hover { filter: brightness(1.1); }
button.quiet { border-color: transparent; background: none; color: inherit; text-decoration: underline; text-underline-offset: 3px; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; }
.badge {
  --hue: 160; flex: none; display: inline-grid; place-items: center; width: 2rem; height: 2rem; border-radius: 50%;
  background: oklch(45% .1 var(--hue)); color: #fff; font-size: .75rem; font-weight: 600; letter-spacing: .02em;
}

#banner {
  --tint: ${v('quiet')}; --text: ${v('ink')}; --bar: ${v('edge')};
  display: flex; flex-wrap: wrap; align-items: center; gap: .75rem 1rem; padding: 1rem ${v('padding')};
  background: var(--tint); color: var(--text); border-top: 5px solid var(--bar); min-height: 6rem;
}
#banner[data-tone=mine] { ${tone('mine')} }
#banner:is([data-tone=other], [data-tone=offline]) { ${tone('other')} }
#banner[data-tone=waiting] { ${tone('wait')} }
#banner[data-tone=lost] { ${tone('lost')} }
#banner:focus-visible { outline-offset: -3px; }
#face .badge { width: 3rem; height: 3rem; font-size: 1.0625rem; }
#face:empty { display: none; }
#status { flex: 1 1 18rem; min-width: 0; }
#headline { font-size: 1.1875rem; font-weight: 500; line-height: 1.3; text-wrap: balance; overflow-wrap: anywhere; }
#headline b { font-weight: 700; }
#detail { font-size: .9375rem; margin-top: .125rem; overflow-wrap: anywhere; }

#waiters, #kept { padding: 1rem ${v('padding')}; border-bottom: 1px solid ${v('line')}; }
#waiters { background: ${v('wait')}; color: ${v('wait-ink')}; }
#waiters header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .5rem; }
#waiters h2, #kept h2 { font-size: 1rem; font-weight: 600; }
#waiters li { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: center; gap: .125rem .75rem; padding-top: .75rem; }
#waiters .about { overflow-wrap: anywhere; }
#waiters q { grid-column: 2; grid-row: 2; color: ${v('ink')}; }
#waiters .more { display: block; padding-left: 2.75rem; }

#kept { background: ${v('lost')}; color: ${v('lost-ink')}; }
#kept > p { font-size: .9375rem; }
#kept dl { margin: .75rem 0; display: grid; gap: .5rem; }
#kept dl div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: .25rem 1rem; align-items: baseline; padding: .5rem .875rem; border-radius: ${v('radius')}; background: ${v('surface')}; color: ${v('ink')}; }
#kept dt { color: ${v('soft')}; font-size: .875rem; }
#kept dd { grid-column: 2; display: flex; gap: 1rem; justify-content: space-between; align-items: baseline; }
#kept dd.stored { color: ${v('soft')}; font-size: .9375rem; }
#kept dd span { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; }
#kept mark { background: ${v('mine')}; color: ${v('mine-ink')}; text-decoration: underline; }
#kept .stored mark { background: ${v('other')}; color: ${v('other-ink')}; }
#kept dl button { flex: none; padding: .25rem .5rem; font-size: .875rem; }

dialog { width: min(30rem, calc(100vw - 2rem)); padding: 1.5rem; border: 1px solid ${v('line')}; border-radius: 14px; background: ${v('surface')}; color: ${v('ink')}; }
dialog::backdrop { background: rgb(8 20 16 / 55%); }
dialog h2 { font-size: 1.25rem; line-height: 1.3; overflow-wrap: anywhere; }
dialog p { color: ${v('soft')}; margin: .375rem 0 1rem; overflow-wrap: anywhere; }
dialog label { font-size: .875rem; color: ${v('soft')}; }
dialog textarea { font: inherit; width: 100%; padding: .5rem .75rem; border: 1px solid ${v('edge')}; border-radius: ${v('radius')}; background: ${v('field')}; color: ${v('ink')}; resize: vertical; }
dialog .actions { margin-top: 1rem; }

@media (max-width: 40rem) {
  #face .badge { width: 2.5rem; height: 2.5rem; font-size: .875rem; }
  #status { flex-basis: 12rem; }
  #banner .actions, #banner .actions button { flex: 1 1 auto; }
  #kept dl div { grid-template-columns: minmax(0, 1fr); }
  #kept dd { grid-column: 1; }
  #waiters li { grid-template-columns: auto minmax(0, 1fr); }
  #waiters li button { grid-column: 2; justify-self: start; margin-top: .375rem; }
}
@media (prefers-reduced-motion: no-preference) { #banner { transition: background-color .2s, border-color .2s; } }
@media (forced-colors: active) { #banner { border: 1px solid; border-top-width: 5px; } }
`;

// Constructed, so that no content security policy has to allow inline styles.
export const style = globalThis.CSSStyleSheet ? new CSSStyleSheet() : /** @type {CSSStyleSheet} */ ({});
style.replaceSync?.(css);
