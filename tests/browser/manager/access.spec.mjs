// For everybody: keyboards, screen readers, small screens, dark rooms, no
// scripts.

import { flawless } from '../axe.mjs';
import { count, expect, row, rows, test } from './manager.mjs';

async function furnish({ hold, await_ }) {
  await hold('Ivanov', 'crm/contract/2417');
  await hold('Petrova', 'crm/invoice/1093', { status_data: 'half done', auto_release: { never: true } });
  await hold('Ivanov', 'crm/invoice/1094');
  await await_('Kim', 'crm/contract/2417', 'May I?');
}

for (const options of [{}, { locale: 'ru-RU', viewport: { width: 390, height: 844 } }]) {
  test(`axe finds nothing wrong ${options.locale ? 'on a phone, in Russian' : 'on a desk'}`, async ({ hold, await_, read, server }) => {
    test.slow(); // axe runs thirty times
    const stranger = await read('', options);
    await flawless(stranger, 'nothing held');
    await furnish({ hold, await_ });
    await stranger.reload();
    await flawless(stranger, 'a stranger');
    const page = await read('Petrova', options);
    await page.getByRole('checkbox').nth(2).check();
    await flawless(page, 'list');
    await page.goto(`${server.url}/?q=nothing`);
    await flawless(page, 'none found');
    await page.goto(`${server.url}/?mine=1`);
    await flawless(page, 'mine');
    for (const path of ['/ui/lock?id=crm/contract/2417', '/ui/lock?id=crm/contract/1', '/ui/person?who=u:ivanov', '/ui/person?who=u:kim', '/ui/history',
      '/ui/history?group=crm&user=ivanov&from=2026-01-01', '/ui/history?q=nothing', '/?sort=-since', '/ui/me', '/ui/nowhere']) {
      await page.goto(server.url + path);
      await flawless(page, path);
    }
    await page.goto(`${server.url}/ui/lock?id=crm/contract/2417`);
    await page.locator('#timeline summary').click();
    await flawless(page, 'the table of a timeline');
    const holder = await read('Ivanov', options);
    await expect(holder.locator('[data-ask]')).toBeVisible();
    await flawless(holder, 'somebody waits');
    await page.goto(`${server.url}/ui/lock?id=crm/contract/2417`);
    await page.locator('#takeover').click();
    await expect(page.locator('#reason')).toBeFocused();
    await flawless(page, 'the question');
    await hold('Kim', 'x/y/z');
    await page.locator('#reason').fill('urgent');
    await page.getByRole('button').last().click();
    await expect(page.locator('.done')).toBeVisible();
    await flawless(page, 'done');
  });
}

test('the keyboard is enough', async ({ hold, read, api }) => {
  await hold('Ivanov', 'crm/contract/2417');
  await hold('Ivanov', 'crm/contract/2431');
  await hold('Sidorova', 'crm/invoice/1093');
  const page = await read();
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const tabTo = async (role, name) => {
    const target = page.getByRole(role, { name, exact: true });
    for (let i = 0; i < 80; i++) {
      await press('Tab');
      if (await target.evaluateAll((found) => found.includes(document.activeElement))) return;
    }
    throw new Error(`Tab never reaches ${role} ${name}`);
  };

  await press('Tab');
  await expect(page.locator(':focus')).toHaveText('Skip to the content');
  await press('Enter');
  await tabTo('link', 'Who are you?');
  await press('Enter');
  await expect(page.getByLabel('Your name')).toBeFocused();
  await page.keyboard.type('Petrova');
  await press('Enter');
  await expect(page.locator('.me')).toContainText('Petrova');

  await tabTo('searchbox', 'Search');
  await page.keyboard.type('ivanov');
  await expect(rows(page)).toHaveCount(2);
  await expect(page.locator('#say')).toHaveText('Locks found: 2');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await tabTo('checkbox', 'All on this page');
  await press('Space');
  await expect(page.getByText('Selected: 2')).toBeVisible();
  await tabTo('button', 'Release…');
  await press('Enter');
  await expect(page.getByRole('heading', { name: 'Release 2 locks?' })).toBeVisible();
  await page.keyboard.type('on holiday');
  await tabTo('button', 'Release');
  await press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'Released: 2.' })).toBeVisible();

  await tabTo('link', 'Clear filters');
  await press('Enter');
  await expect(page).toHaveURL(/\/$/);
  await expect(rows(page)).toHaveCount(1);
  await tabTo('button', 'Take over crm/invoice/1093');
  await press('Enter');
  await expect(page.getByRole('heading', { name: 'Take over 1093?' })).toBeVisible();
  await page.keyboard.type('urgent');
  await tabTo('button', 'Take over');
  await press('Space');
  await expect(row(page, '1093')).toContainText('Petrova you');
  const { entries } = await api('/v1/history?limit=3');
  expect(entries.map((e) => [e.kind, e.actor.name, e.reason])).toEqual(
    [['taken_over', 'Petrova', 'urgent'], ['force_released', 'Petrova', 'on holiday'], ['force_released', 'Petrova', 'on holiday']]);
});

test('a phone shows all of it, without scrolling sideways', async ({ hold, await_, read, server }) => {
  const phone = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
  const long = 'Konstantin-Konstantinopolsky-Dobrovolsky-of-the-Export-Office-in-the-North';
  await hold(long, `crm/contract/${'W'.repeat(200)}`, { status_data: 'M'.repeat(300) });
  await hold('Ivanov', 'crm/contract/2417');
  await await_(long, 'crm/contract/2417', 'W'.repeat(300));
  const fits = async (page, what) => expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBeLessThanOrEqual(320);
  for (const locale of ['en-GB', 'ru-RU']) {
    const page = await read(long.slice(0, 58), { ...phone, locale });
    for (const path of ['/', '/?mine=1', '/ui/lock?id=crm/contract/2417', `/ui/lock?id=crm/contract/${'W'.repeat(200)}`,
      `/ui/person?who=u:${long.toLowerCase()}`, '/ui/history', '/ui/me']) {
      await page.goto(server.url + path);
      await fits(page, path);
    }
    await page.goto(server.url);
    await page.getByRole('checkbox').nth(1).check();
    await page.locator('.bulk-act').first().click();
    await expect(page.locator('#reason')).toBeVisible();
    await fits(page, 'the question');
  }
});

test('all of it works without scripts', async ({ hold, read }) => {
  await hold('Ivanov', 'crm/contract/2417');
  await hold('Kim', 'crm/invoice/1093');
  const page = await read('Petrova', { javaScriptEnabled: false });
  await expect(row(page, '2417').locator('time').first()).toHaveText(/^20\d\d-\d\d-\d\d \d\d:\d\d UTC$/);
  await page.getByLabel('Search').fill('ivan');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole('columnheader', { name: 'Since' }).getByRole('link').click();
  await expect(page.getByRole('columnheader', { name: 'Since' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(page.getByLabel('Search')).toHaveValue('ivan');
  await expect(count(page, 'locks')).toHaveText('1');
  await page.getByRole('checkbox', { name: 'Select crm/contract/2417' }).check();
  await page.getByRole('button', { name: 'Release…' }).click();
  await page.getByLabel('Reason').fill('no scripts');
  await page.getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText('Released: 1.')).toBeVisible();
  await page.getByRole('search').getByRole('link', { name: 'Clear filters' }).click();
  await expect(rows(page)).toHaveCount(1);
});
