// 2.6: "It expired a minute ago, and I have just begun": clocks and zones that
// differ.

import { expect, isIn, lock, test, text, tokenOf } from './site.mjs';

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };
const petrova = { name: 'Petrova', session: 'petrova', user: 'petrova' };

// wrong sets a browser's clock, by so many minutes.
const wrong = (context, minutes) => context.addInitScript((by) => {
  const real = Date;
  globalThis.Date = class extends real {
    constructor(...args) { super(...(args.length ? args : [real.now() + by])); }
    static now() { return real.now() + by; }
  };
}, minutes * 60_000);

const clock = (date, timeZone) => new Intl.DateTimeFormat('en-GB', { hour: 'numeric', minute: '2-digit', timeZone }).format(date);

for (const [timezoneId, minutes] of [['America/Los_Angeles', 10], ['Asia/Yekaterinburg', -10]]) {
  test(`${timezoneId}, ${minutes} minutes wrong: "since" and the time left are right`, async ({ browser, site, visit }) => {
    const holder = await visit(petrova);
    await isIn(holder, 'mine');
    const captured = new Date((await site.holder('1')).captured_at);

    const context = await browser.newContext({ timezoneId, locale: 'en-GB' });
    await wrong(context, minutes);
    const page = await visit({ ...ivanov, idle: '6s' }, '1', { context });
    await isIn(page, 'other');
    const since = lock(page).locator('#headline time');
    // By the clock on this reader's own screen, in their own zone.
    await expect(since).toHaveText(new RegExp(`${clock(captured.getTime() + minutes * 60_000, timezoneId)}$`));
    await expect(since).toHaveAttribute('datetime', captured.toISOString());

    await page.getByRole('button', { name: 'Take over…' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('urgent');
    await page.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
    await isIn(page, 'mine');
    const token = await tokenOf(page);
    await page.waitForTimeout(8000); // longer than a lease: beats come in time
    await isIn(page, 'mine');
    expect(await tokenOf(page)).toBe(token);
    const left = await page.evaluate(() => document.querySelector('edit-lock').lock.until - Date.now());
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(6000);
    await context.close();
  });
}

test('a lock without an end has none, however often it is refreshed or looked at', async ({ site, visit }) => {
  const page = await visit({ ...ivanov, idle: 'never' }), other = await visit(petrova);
  await isIn(page, 'mine');
  await isIn(other, 'other');
  await page.evaluate(() => document.querySelector('edit-lock').lock.check());
  await expect.poll(() => site.count('/v1/refresh')).toBeGreaterThan(0);
  expect(await site.holder('1')).toMatchObject({ expires_at: null, expires_in_s: null });
  expect(await page.evaluate(() => document.querySelector('edit-lock').lock.until)).toBe(null);
  await expect(text(page)).toBeEditable();
});

test('looking at another\'s lock does not prolong it', async ({ site, visit }) => {
  await site.editlock('/v1/capture', { mutex: { group: 'site', mode: 'record', id: '1' }, owner: { session: 'program', name: 'Program' }, auto_release: { idle: '6s' } });
  const { refreshed_at: at, expires_at: end } = await site.holder('1');
  const page = await visit(petrova);
  await isIn(page, 'other');
  for (let i = 0; i < 3; i++) await page.evaluate(() => document.querySelector('edit-lock').lock.look());
  expect(await site.holder('1')).toMatchObject({ refreshed_at: at, expires_at: end });
  await isIn(page, 'free', { timeout: 20_000 });
});

test('an expired lock is free for everybody at once, and giving it back is no error', async ({ site, visit }) => {
  const page = await visit(ivanov), mutex = { group: 'site', mode: 'record', id: '2' }, owner = { session: 'program' };
  await isIn(page, 'mine');
  await site.editlock('/v1/capture', { mutex, owner, auto_release: { idle: '1s' } });
  await expect.poll(() => site.holder('2'), { intervals: [50] }).toBe(null);
  const { mutexes } = await site.editlock('/v1/mutexes?group=site');
  expect(mutexes.map((m) => m.mutex.id)).toEqual(['1']);
  expect(await site.editlock('/v1/release', { mutex, owner })).toEqual({ released: false });
  const other = await visit(petrova, '2');
  await isIn(other, 'mine');
});
