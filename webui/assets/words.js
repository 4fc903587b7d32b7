// The texts that scripts write, from the page.

const words = JSON.parse(document.getElementById('words').textContent);

export const lang = document.documentElement.lang;

export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const numbers = new Intl.NumberFormat(lang);
export const number = (n) => numbers.format(n);
