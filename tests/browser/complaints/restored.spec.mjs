// "I loaded the page again, and saved my colleague's text away": browsers put what was typed
// back into a form that is loaded again, which then looks like what is stored.

import { expect, isIn, kept, lock, mutex, test, text } from './site.mjs';

const ivanov = { name: 'Ivanov', user: 'ivanov' };
const petrova = { session: 'petrova', user_id: 'petrova', name: 'Petrova' };

const unsaved = (page) => page.evaluate(() => document.querySelector('edit-lock').unsaved);

test('a page that is loaded again shows what is stored, and keeps what was typed', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await text(page).fill('half a sentence');
  site.records.set('1', 'stored by an import');
  await page.reload();
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('stored by an import');
  await expect(kept(page)).toContainText('half a sentence');
  expect(await unsaved(page)).toBe(false);
  await page.getByRole('button', { name: 'Put it into the form' }).click();
  await expect(text(page)).toHaveValue('half a sentence');
  expect(await unsaved(page)).toBe(true);
});

test('a page that is come back to does, too', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await text(page).fill('half a sentence');
  await page.goto(`${site.url}/client`);
  await expect.poll(() => site.holder('1')).toBe(null);
  await site.editlock('/v1/capture', { mutex: mutex('1'), owner: petrova });
  site.records.set('1', 'stored by Petrova');
  await site.editlock('/v1/release', { mutex: mutex('1'), owner: petrova });
  await page.goBack();
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('stored by Petrova');
  await expect(kept(page)).toContainText('half a sentence');
});

test('the newest text is shown by a page that had to be loaded again', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await text(page).fill('half a sentence');
  await site.editlock('/v1/takeover', { mutex: mutex('1'), owner: petrova, seen_token: (await site.holder('1')).token, reason: 'urgent' });
  await isIn(page, 'lost');
  site.records.set('1', 'stored by Petrova');
  await site.editlock('/v1/release', { mutex: mutex('1'), owner: petrova });
  await lock(page).getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('stored by Petrova');
  await expect(kept(page)).toContainText('half a sentence');
});
