// Who a page is of, for a lock server that wants to know.

/** tokens gives the token that came with the page, and then newer ones from an address. */
export function tokens(given, url) {
  if (!url) return given || undefined;
  let first = given;
  return async () => {
    if (first) {
      const token = first;
      first = '';
      return token;
    }
    const answer = await fetch(url, { redirect: 'manual', headers: { Accept: 'application/json' } });
    return answer.ok ? (await answer.json()).token : ''; // '': signed out
  };
}
