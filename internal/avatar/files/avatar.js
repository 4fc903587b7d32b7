// The round badge of a person, as the server makes it (package avatar).

const letter = /[\p{L}\p{N}]/u;

const initials = (name) => name.trim().split(/\s+/, 2)
  .map((word) => (letter.exec(word)?.[0] ?? [...word][0] ?? '').toUpperCase()).join('');

function hue(name) {
  let h = 7;
  for (const c of name.toLowerCase()) h = (h * 31 + c.codePointAt(0)) % 360;
  return Math.floor((h + 5) / 10) * 10 % 360;
}

export function badge(name) {
  const e = document.createElement('span');
  e.className = `badge hue-${hue(name)}`;
  e.dataset.initials = initials(name);
  e.setAttribute('aria-hidden', 'true');
  return e;
}
