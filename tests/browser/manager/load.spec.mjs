// Ten thousand locks of fifty people, and a hundred changes a second. The
// figures are printed; what is asserted leaves room for a busy machine.

import { count, expect, owner, rows, test } from './manager.mjs';

test.use({ store: 'sqlite' });
test.describe.configure({ mode: 'serial', timeout: 300_000 });

const people = Array.from({ length: 50 }, (_, i) => `Person${String(i).padStart(2, '0')}`);
const hour = { idle: '1h' };
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

// fill captures 10,000 locks, 200 for each person.
async function fill(api) {
  for (const [i, name] of people.entries()) {
    const mutexes = Array.from({ length: 200 }, (_, n) => ({ group: `group${i % 5}`, mode: n % 2 ? 'contract' : 'invoice', id: `${i}-${n}` }));
    expect((await api('/v1/capture', { mutexes, owner: owner(name), auto_release: hour })).mutexes).toHaveLength(200);
  }
}

test('among 10,000 locks of 50 people, a filter answers quickly', async ({ api, server, read }) => {
  await fill(api);
  const figures = {};
  for (const query of ['', '?q=person07', '?q=nothing', '?group=group3', '?mode=invoice&group=group1', '?person=u:person31', '?sort=since&q=contract']) {
    const took = [];
    for (let i = 0; i < 15; i++) {
      const begun = performance.now();
      const answer = await fetch(`${server.url}/${query}`);
      await answer.text();
      took.push(performance.now() - begun);
      expect(answer.status).toBe(200);
    }
    figures[query || 'everything'] = `median ${median(took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms`;
    expect(median(took)).toBeLessThan(1500);
  }
  console.log('server time with 10,000 locks:', figures);

  const page = await read();
  await expect(count(page, 'locks')).toHaveText('10,000');
  await expect(count(page, 'people')).toHaveText('50');
  const begun = Date.now();
  await page.getByRole('searchbox').fill('person31');
  await expect(count(page, 'locks')).toHaveText('200');
  console.log(`from the keystroke to the filtered page: ${Date.now() - begun} ms`);
});

test('100 changes a second do not freeze the page', async ({ api, read }) => {
  await fill(api);
  const page = await read('Petrova');
  await expect(rows(page)).toHaveCount(50);
  await page.evaluate(() => {
    window.long = [];
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
    window.merges = 0;
    new MutationObserver(() => { window.merges++; }).observe(document.getElementById('table'), { childList: true, subtree: true });
  });
  await page.getByRole('searchbox').focus();
  const seconds = 12, begun = Date.now();
  let made = 0, typed = '';
  for (let tick = 0; tick < seconds * 10; tick++) {
    // They come and go at the top of the first page.
    const mutexes = Array.from({ length: 5 }, (_, n) => ({ group: 'a', mode: 'b', id: `${tick}-${n}` }));
    const by = owner(people[tick % 50]);
    await api('/v1/capture', { mutexes, owner: by, auto_release: hour });
    api('/v1/release', { mutexes, owner: by }).then(() => { made += 5; }, () => {});
    made += 5;
    if (tick % 20 === 10) { // a letter, and later away again
      await page.keyboard.press(typed ? 'Backspace' : 'o');
      typed = typed ? '' : 'o';
      await expect(page.getByRole('searchbox')).toHaveValue(typed);
    }
    const wait = begun + (tick + 1) * 100 - Date.now();
    if (wait > 0) await new Promise((done) => { setTimeout(done, wait); });
  }
  const took = (Date.now() - begun) / 1000;
  const { long, merges } = await page.evaluate(() => ({ long: window.long, merges: window.merges }));
  const worst = Math.max(0, ...long);
  console.log(`${(made / took).toFixed(0)} changes a second for ${took.toFixed(0)} s: ${merges} merges, ${long.length} long tasks, the longest ${worst.toFixed(0)} ms`);
  expect(made / took).toBeGreaterThan(20);
  expect(merges).toBeGreaterThan(0);
  expect(worst).toBeLessThan(1500);
  await expect(count(page, 'locks')).toHaveText(/^\d\d,\d{3}$/);
});
