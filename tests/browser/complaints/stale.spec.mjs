// 2.1: "It is locked, and nobody knows why": the tab was closed, the browser
// died, the application went to another page.

import { expect, isIn, lock, mutex, test, text } from './site.mjs';

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };

test('a killed browser blocks for the lease, and not a moment longer', async ({ site, launched }) => {
  test.setTimeout(120_000);
  const its = await launched();
  const page = await (await its.newContext()).newPage();
  await page.goto(site.page('1', { ...ivanov, idle: '6s' }));
  await isIn(page, 'mine');
  await launched.kill();

  const { expires_at: end, refreshed_at: last } = await site.holder('1');
  expect(new Date(end) - new Date(last)).toBe(6000);
  // Asked without a pause, the store grants it at that very moment.
  let refused, granted;
  for (;;) {
    const answer = await site.editlock('/v1/capture', { mutex: mutex('1'), owner: { session: 'petrova' }, if: { free: true } });
    if (answer.mutex) {
      granted = answer.mutex;
      break;
    }
    expect(answer).toMatchObject({ code: 'busy', holder: { owner: { name: 'Ivanov' }, expires_at: end } });
    refused = answer.holder.as_of;
  }
  expect(new Date(refused) - new Date(last)).toBeLessThanOrEqual(6000); // a Date drops what is less than a millisecond
  expect(new Date(granted.captured_at) - new Date(last)).toBeGreaterThanOrEqual(6000);
  expect(new Date(granted.captured_at) - new Date(refused)).toBeLessThan(1000);
});

test('a closed tab is free within 5 seconds', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const waiting = site.editlock('/v1/capture', { mutex: mutex('1'), owner: { session: 'petrova' }, wait: '60s' });
  await expect.poll(async () => (await site.holder('1')).waiting).toBe(1);
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => site.count('/v1/release')).toBe(1);
  const closed = site.calls.find((c) => c.path === '/v1/release');
  await waiting;
  expect(performance.now() - closed.at).toBeLessThan(5000);
});

test('leaving a route frees its record within a second, and the next one is taken', async ({ site, browser }) => {
  const page = await browser.newPage();
  await page.goto(`${site.url}/routes?${new URLSearchParams(ivanov)}#first`);
  await isIn(page, 'mine');
  await page.getByRole('textbox').fill('half a sentence');
  const at = await page.evaluate(() => {
    location.hash = '#second';
    return performance.timeOrigin + performance.now();
  });
  await expect.poll(() => site.holder('first'), { intervals: [20] }).toBe(null);
  const released = (await site.history('first')).find((e) => e.kind === 'released');
  expect(new Date(released.at) - at).toBeLessThan(1000);
  await isIn(page, 'mine');
  expect(await site.holder('second')).toMatchObject({ owner: { name: 'Ivanov' } });
  await page.getByRole('link', { name: 'home' }).click();
  await expect.poll(() => site.holder('second')).toBe(null);

  await page.getByRole('link', { name: 'first' }).click();
  await isIn(page, 'mine');
  await expect(page.getByRole('region', { name: 'Your unsaved text' })).toContainText('half a sentence');
  await page.close();
});

test('coming and going at once, as frameworks do, leaves one lock', async ({ site, browser }) => {
  const page = await browser.newPage();
  await page.goto(`${site.url}/routes?${new URLSearchParams(ivanov)}#first`);
  await isIn(page, 'mine');
  await page.evaluate(async () => {
    const view = document.getElementById('view'), e = view.firstElementChild;
    for (let i = 0; i < 5; i++) {
      e.remove();
      await new Promise((done) => setTimeout(done, i));
      view.append(e);
      await new Promise((done) => setTimeout(done, i));
    }
  });
  await expect.poll(async () => {
    // The page may be loading again, as its text may be old.
    const token = await page.locator('edit-lock').evaluate((e) => e.lock?.token).catch(() => undefined);
    const holder = await site.holder('first');
    return holder !== null && holder.token === token;
  }).toBe(true);
  await isIn(page, 'mine');
  const { token } = await site.holder('first');
  await page.waitForTimeout(1500); // what is late may still come
  expect((await site.holder('first')).token).toBe(token);
  await expect(lock(page).getByRole('textbox')).toBeEditable();
  await page.close();
});

test('what was read-only before the lock stays so under it', async ({ visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await expect(text(page)).toBeEditable();
  await expect(page.getByRole('textbox', { name: 'Fixed' })).not.toBeEditable();
});
