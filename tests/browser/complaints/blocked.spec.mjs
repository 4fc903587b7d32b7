// A browser in which site data are blocked.

import { blocked as test } from './blocked.mjs';
import { expect, isIn, kept, lock, mutex, text, tokenOf } from './site.mjs';

const petrova = { session: 'petrova', user_id: 'petrova', name: 'Petrova' };

test('a takeover is told by its event', { tag: '@firefox' }, async ({ site, page, open }) => {
  await open();
  await isIn(page, 'mine');
  await expect.poll(() => site.count('/v1/events')).toBeGreaterThan(0);
  site.fault = (call) => call.path === '/v1/refresh' ? { delay: 60_000 } : null;
  await site.editlock('/v1/takeover', { mutex: mutex('1'), owner: petrova, seen_token: (await site.holder('1')).token, reason: 'urgent' });
  await isIn(page, 'lost');
  await expect(lock(page).locator('#headline')).toContainText('Petrova took this over');
});

test('a reload keeps its lock', { tag: '@firefox' }, async ({ site, page, open }) => {
  await open();
  await isIn(page, 'mine');
  const token = await tokenOf(page);
  for (let i = 0; i < 2; i++) {
    await page.reload();
    await isIn(page, 'mine');
  }
  expect(await tokenOf(page)).toBe(token);
  expect((await site.history('1')).map((e) => e.kind)).toEqual(['captured']);
});

test('a page that loads itself again keeps what it was granted', async ({ site, page, open }) => {
  await site.editlock('/v1/capture', { mutex: mutex('1'), owner: petrova });
  await open();
  await isIn(page, 'other');
  await page.getByRole('button', { name: 'Wait in the queue' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Wait' }).click();
  await expect(lock(page).locator('#headline')).toContainText('number 1');
  const loaded = page.waitForEvent('load');
  await site.editlock('/v1/release', { mutex: mutex('1'), owner: petrova });
  await loaded; // the page of before the wait may be old
  await isIn(page, 'mine');
  await expect(text(page)).toBeEditable();
  const theirs = (await site.history('1')).filter((e) => e.owner.user_id === 'ivanov').map((e) => e.kind);
  expect(theirs.filter((kind) => ['captured', 'released', 'expired'].includes(kind))).toEqual(['captured']);
});

test('text that nothing can keep is offered as a file, and said to be kept nowhere', async ({ site, page, open }) => {
  await open();
  await isIn(page, 'mine');
  await text(page).fill('half a sentence');
  await expect(lock(page).locator('#detail')).toContainText('can\'t store your unsaved text');
  await site.editlock('/v1/takeover', { mutex: mutex('1'), owner: petrova, seen_token: (await site.holder('1')).token, reason: 'urgent' });
  await isIn(page, 'lost');
  await expect(kept(page)).toContainText('could not store it');
  await expect(kept(page)).not.toContainText('Kept in this browser');
  const [file] = await Promise.all([page.waitForEvent('download'), kept(page).getByRole('button', { name: 'Download' }).click()]);
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('half a sentence');
});
