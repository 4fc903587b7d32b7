// Between the demo and the lock manager: the ways there and back, and people who look
// the same in both.

import { flawless } from './axe.mjs';
import { expect, test } from './office.mjs';

const look = (locator) => locator.evaluate((e) => [/hue-\d+/.exec(e.className)[0], e.dataset.initials, getComputedStyle(e).backgroundColor]);

test('from a document to its lock, and from the lock to its document', async ({ edit, server }) => {
  const page = await edit('Анна «Аня» Петрова');
  await page.getByRole('link', { name: 'This lock in the lock manager' }).click();
  await expect(page).toHaveURL(`${server.url}ui/lock?id=demo/contract/2417`);
  await expect(page.locator('#state')).toContainText('Held by Анна «Аня» Петрова');
  const [record] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'Open the record (in a new tab)' }).click()]);
  await expect(record).toHaveURL(server.contract);
  expect(await record.evaluate(() => window.opener)).toBeNull();
  await record.goto(server.url);
  const row = record.getByRole('row').filter({ hasText: 'demo' });
  await expect(row.getByRole('link', { name: 'Open the record (in a new tab)' })).toHaveAttribute('href', './demo/documents/contract-2417');
  await flawless(record, 'a list with records');
  await record.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Demo' }).click();
  await expect(record).toHaveURL(server.office);
  await record.getByRole('link', { name: 'Lock manager' }).click();
  await expect(record).toHaveURL(server.url);
});

test('a person has the same badge wherever it is made', async ({ edit, server }) => {
  const page = await edit('Анна «Аня» Петрова');
  const byServer = await look(page.locator('.who .badge'));
  expect(byServer[1]).toBe('АА');
  expect(await look(page.locator('.card .badge'))).toEqual(byServer); // by a script
  expect(await look(page.locator('#history .badge').first())).toEqual(byServer);
  await page.goto(`${server.url}ui/history`);
  expect(await look(page.locator('#entries .badge').first())).toEqual(byServer);
  await expect(page.locator('#entries .badge').first()).toHaveAttribute('aria-hidden', 'true');
});
