// The page follows what happens, without disturbing who reads it.

import { count, expect, parse, owner, row, rows, test } from './manager.mjs';

test('locks come, change hands and go by themselves', async ({ hold, await_, read, api }) => {
  const page = await read();
  await expect(page.getByRole('heading', { name: 'Nothing is locked' })).toBeVisible();
  const { token } = await hold('Ivanov', 'crm/contract/2417');
  await expect(row(page, '2417')).toContainText('Ivanov');
  await expect(count(page, 'locks')).toHaveText('1');
  await await_('Kim', 'crm/contract/2417', 'May I?');
  await expect(row(page, '2417')).toContainText('1 Kim');
  await expect(count(page, 'waiting')).toHaveText('1');
  await api('/v1/takeover', { mutex: parse('crm/contract/2417'), owner: owner('Sidorova'), seen_token: token, reason: 'x' });
  await expect(row(page, '2417')).toContainText('Sidorova');
  await api('/v1/release', { mutex: parse('crm/contract/2417'), owner: owner('Sidorova') });
  await expect(row(page, '2417')).toContainText('Kim');
  // News is up to three seconds late: what lives shorter may not be seen at all.
  await hold('Ivanov', 'crm/contract/2431', { auto_release: { idle: '8s' } });
  await expect(row(page, '2431')).toBeVisible();
  await expect(row(page, '2431')).toBeHidden(); // expired
});

test('a lock and a person are followed too', async ({ hold, read, server, api }) => {
  const page = await read('Petrova');
  await page.goto(`${server.url}/ui/lock?id=crm/contract/2417`);
  await expect(page.getByText('Nobody holds this now')).toBeVisible();
  await hold('Ivanov', 'crm/contract/2417');
  await expect(page.locator('#state')).toContainText('Held by Ivanov');
  await expect(page.locator('#entries li')).toHaveCount(1);
  await page.getByRole('link', { name: 'Ivanov' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ivanov');
  await expect(rows(page)).toHaveCount(1);
  await api('/v1/release', { mutex: parse('crm/contract/2417'), owner: owner('Ivanov') });
  await expect(page.getByText('Holds nothing now.')).toBeVisible();
  await expect(page.locator('#entries li')).toHaveCount(2);
});

test('ticks, focus and a half-typed search survive, ticks of changed holders do not', async ({ hold, read, api }) => {
  for (const id of ['b', 'd', 'f']) await hold('Ivanov', `crm/contract/${id}`);
  const page = await read('Petrova');
  await page.getByRole('checkbox', { name: 'Select crm/contract/b' }).check();
  await page.getByRole('checkbox', { name: 'Select crm/contract/d' }).check();
  const button = page.getByRole('button', { name: 'Release crm/contract/d' });
  await button.focus();
  await hold('Kim', 'crm/contract/a');
  await hold('Kim', 'crm/contract/c');
  await expect(rows(page)).toHaveCount(5);
  await expect(button).toBeFocused();
  await expect(page.getByText('Selected: 2')).toBeVisible();

  const { mutex } = await api('/v1/request', { mutex: parse('crm/contract/b') });
  await api('/v1/takeover', { mutex: parse('crm/contract/b'), owner: owner('Kim'), seen_token: mutex.token, reason: 'x' });
  await expect(row(page, 'b')).toContainText('Kim');
  await expect(page.getByRole('checkbox', { name: 'Select crm/contract/b' })).not.toBeChecked();
  await expect(page.getByText('Selected: 1')).toBeVisible();

  await page.getByRole('searchbox').fill('kim');
  await expect(rows(page)).toHaveCount(3);
  await expect(page).toHaveURL(/\?q=kim$/);
  await page.getByLabel('Mode').focus();
  await hold('Kim', 'crm/contract/z');
  await expect(rows(page)).toHaveCount(4);
  await expect(page.getByRole('searchbox')).toHaveValue('kim');
  await expect(page.getByLabel('Mode')).toBeFocused();
  await page.getByRole('link', { name: 'Русский' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Блокировки');
  await expect(rows(page)).toHaveCount(4);
});

test('it can be paused', async ({ hold, read }) => {
  const page = await read();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.locator('#live-state')).toHaveText('Paused');
  let asked = 0;
  page.on('request', () => { asked++; });
  await hold('Ivanov', 'crm/contract/2417');
  await expect.poll(async () => { // a page may be as late as the news
    await page.reload();
    return rows(page).count();
  }).toBe(1);
  asked = 0;
  await hold('Ivanov', 'crm/contract/2431');
  await page.getByRole('searchbox').focus();
  expect(asked).toBe(0);
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(rows(page)).toHaveCount(2);
});

test('a server that went away is told of, and found again', async ({ read, server }) => {
  const page = await read();
  await expect(page.locator('#live-state')).toHaveText('Live');
  await server.stop();
  await expect(page.locator('#live-state')).toHaveText(/^No answer since \d\d:\d\d\. What you see may be out of date\.$/);
  await server.start();
  await expect(page.locator('#live-state')).toHaveText('Live');
});

test('locks are found on all pages, and acted on together', async ({ api, read }) => {
  const ids = (who, n) => Array.from({ length: n }, (_, i) => ({ group: who, mode: 'doc', id: String(i).padStart(3, '0') }));
  await api('/v1/capture', { mutexes: ids('ivanov', 120), owner: owner('Ivanov') });
  await api('/v1/capture', { mutexes: ids('kim', 30), owner: owner('Kim') });
  const page = await read('Petrova');
  await expect(count(page, 'locks')).toHaveText('150');
  await expect(page.getByText('1–50 of 150')).toBeVisible();
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(page.getByText('51–100 of 150')).toBeVisible();
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(rows(page)).toHaveCount(50);
  await page.getByRole('link', { name: 'Previous' }).click();
  await page.getByRole('link', { name: 'Previous' }).click();
  await expect(page.getByText('1–50 of 150')).toBeVisible();

  await page.getByLabel('Person').selectOption({ label: 'Ivanov (120)' });
  await expect(count(page, 'locks')).toHaveText('120');
  await expect(count(page, 'held in all')).toHaveText('150');
  await page.getByRole('checkbox', { name: 'All 120 that match, on all pages' }).check();
  await page.getByRole('button', { name: 'Release…' }).click();
  await expect(page.getByRole('heading', { name: 'Release 120 locks?' })).toBeVisible();
  await page.getByLabel('Reason').fill('left the company');
  await page.getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('Released: 120.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'No lock matches' })).toBeVisible();
  await expect(count(page, 'held in all')).toHaveText('30');
});
