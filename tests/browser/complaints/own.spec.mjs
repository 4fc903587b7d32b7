// 2.2: "Locked out by myself": reloads, duplicated tabs, a second tab.

import { expect, isIn, kept, lock, test, text, tokenOf } from './site.mjs';

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };

test('a reload keeps its lock although the old page\'s release comes two seconds later', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const token = await tokenOf(page);
  site.fault = (call) => call.path === '/v1/release' ? { delay: 2000 } : null;
  await page.reload();
  await isIn(page, 'mine');
  await expect.poll(() => site.calls.find((c) => c.path === '/v1/release')?.status, { timeout: 10_000 }).toBe(200);
  expect(await tokenOf(page)).toBe(token);
  await page.waitForTimeout(5000); // longer than any grace time
  expect(String((await site.holder('1')).token)).toBe(token);
  await isIn(page, 'mine');
  expect((await site.history('1')).map((e) => e.kind)).toEqual(['captured']);
});

test('a reload keeps its lock when the release comes in time, too', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const token = await tokenOf(page);
  for (let i = 0; i < 3; i++) {
    await page.reload();
    await isIn(page, 'mine');
  }
  await page.waitForTimeout(5000);
  expect(String((await site.holder('1')).token)).toBe(token);
  expect(site.calls.filter((c) => c.path === '/v1/release').every((c) => c.body.grace === '4s')).toBe(true);
});

test('a duplicated tab is a second tab, and does not lock out the first', async ({ site, visit }) => {
  const first = await visit(ivanov);
  await isIn(first, 'mine');
  const token = await tokenOf(first);
  // As browsers duplicate a tab: with a copy of its session storage.
  const [second] = await Promise.all([first.waitForEvent('popup'), first.evaluate(() => { open(location.href); })]);
  await isIn(second, 'self');
  expect(await second.evaluate(() => sessionStorage.getItem('editlock-tab'))).not.toBe(await first.evaluate(() => sessionStorage.getItem('editlock-tab')));
  await first.reload();
  await isIn(first, 'mine');
  await second.reload();
  await isIn(second, 'self');
  expect(String((await site.holder('1')).token)).toBe(token);
});

test('a second tab is told "you, in another tab, since when", and may continue there', async ({ visit }) => {
  const first = await visit(ivanov);
  await isIn(first, 'mine');
  await text(first).fill('half a sentence');
  const second = await visit(ivanov, '1', { context: first.context() });
  await isIn(second, 'self');
  await expect(lock(second).locator('#headline')).toHaveText(/^You have been editing this in another tab since\s\d?\d:\d\d$/);
  await expect(text(second)).not.toBeEditable();
  await isIn(first, 'mine');
  await expect(text(first)).toHaveValue('half a sentence');

  await second.getByRole('button', { name: 'Continue here' }).click();
  await isIn(second, 'mine');
  await isIn(first, 'lost');
  await expect(kept(second)).toContainText('half a sentence');
  await second.getByRole('button', { name: 'Put it into the form' }).click();
  await expect(text(second)).toHaveValue('half a sentence');
});

test('without a secure context, and so without Web Locks, it is the same', async ({ site, launched }) => {
  const its = await launched({ args: ['--host-resolver-rules=MAP site.test 127.0.0.1'] });
  const context = await its.newContext(), first = await context.newPage();
  await first.goto(site.page('1', ivanov).replace('127.0.0.1', 'site.test'));
  expect(await first.evaluate(() => [isSecureContext, navigator.locks === undefined])).toEqual([false, true]);
  await isIn(first, 'mine');
  const token = await tokenOf(first);
  await first.reload();
  await isIn(first, 'mine');
  expect(await tokenOf(first)).toBe(token);
  const [second] = await Promise.all([first.waitForEvent('popup'), first.evaluate(() => { open(location.href); })]);
  await isIn(second, 'self');
  await second.getByRole('button', { name: 'Continue here' }).click();
  await isIn(second, 'mine');
  await isIn(first, 'lost');
});
