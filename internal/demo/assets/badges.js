// The round badge of a person: initials on a colour of his own.

const initials = (name) => name.split(/\s+/, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();

// hue spreads names over the colour wheel; the lightness is the style sheet's,
// so that the initials can be read on any of them.
function hue(text) {
  let h = 7;
  for (const c of text) h = (h * 31 + c.codePointAt(0)) % 360;
  return h;
}

function paint(element, name) {
  element.style.setProperty('--hue', hue(name.toLowerCase()));
}

export function badge(name) {
  const e = document.createElement('span');
  e.className = 'badge';
  e.setAttribute('aria-hidden', 'true');
  e.textContent = initials(name);
  paint(e, name);
  return e;
}

for (const e of document.querySelectorAll('.badge')) {
  paint(e, e.parentElement.querySelector('.who-name')?.textContent ?? e.parentElement.value);
}
