// The texts that scripts write, from the page.

const words = JSON.parse(document.getElementById('words').textContent);

// The reader's own variety of the page's language: its clock, for example.
const lang = document.documentElement.lang;
export const locale = navigator.languages.find((l) => l === lang || l.startsWith(`${lang}-`)) ?? lang;

export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const numbers = new Intl.NumberFormat(locale);
export const number = (n) => numbers.format(n);
