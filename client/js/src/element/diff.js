// What is different between two texts, word by word.

/** @typedef {{text: string, same: boolean}} Piece */

// The table below grows with the product of both texts.
const most = 250_000;

/** @param {string} text */
const words = (text) => text.match(/\s+|[^\s]+/g) ?? [];

/**
 * diff returns the pieces of a text, each the same in the other or not.
 * @param {string} text
 * @param {string} other
 * @returns {Piece[]}
 */
export function diff(text, other) {
  const a = words(text), b = words(other);
  let from = 0, to = 0;
  while (from < Math.min(a.length, b.length) && a[from] === b[from]) from++;
  while (to < Math.min(a.length, b.length) - from && a[a.length - 1 - to] === b[b.length - 1 - to]) to++;
  const mine = a.slice(from, a.length - to), theirs = b.slice(from, b.length - to);
  const same = mine.length * theirs.length > most ? mine.map(() => false) : common(mine, theirs);
  return join([
    ...a.slice(0, from).map((t) => ({ text: t, same: true })),
    ...mine.map((t, i) => ({ text: t, same: same[i] })),
    ...a.slice(a.length - to).map((t) => ({ text: t, same: true })),
  ]);
}

/**
 * common tells which words of a are in the longest common subsequence with b.
 * @param {string[]} a
 * @param {string[]} b
 */
function common(a, b) {
  const width = b.length + 1, longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const same = a.map(() => false);
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) [same[i], i, j] = [true, i + 1, j + 1];
    else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) i++;
    else j++;
  }
  // A blank between two words that are not the same is not the same either.
  return same.map((is, i) => is && !(a[i].trim() === '' && same[i - 1] === false && same[i + 1] === false));
}

/** @param {Piece[]} pieces */
function join(pieces) {
  /** @type {Piece[]} */
  const joined = [];
  for (const p of pieces) {
    const last = joined.at(-1);
    if (last?.same === p.same) last.text += p.text;
    else joined.push({ ...p });
  }
  return joined;
}
