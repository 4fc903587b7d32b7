// Finding among many: headings that order, numbers of pages, the key "/".

import { expect, owner, rows, test } from './manager.mjs';

const heading = (page, name) => page.getByRole('columnheader', { name, exact: true });
const first = (page) => rows(page).first().locator('.what a').first();

async function office(api) {
  const ids = (n) => Array.from({ length: n }, (_, i) => ({ group: 'office', mode: 'doc', id: String(i).padStart(3, '0') }));
  await api('/v1/capture', { mutexes: ids(410), owner: owner('Kim'), auto_release: { idle: '1h' } });
  await api('/v1/capture', { mutex: { group: 'office', mode: 'doc', id: 'zebra' }, owner: owner('Anna'), auto_release: { idle: '2h' } });
}

test('headings order the list, by click and by key', async ({ api, read }) => {
  await office(api);
  const page = await read();
  await expect(first(page)).toHaveText('000');
  await expect(heading(page, 'Lock')).toHaveAttribute('aria-sort', 'ascending');
  await heading(page, 'Held by').getByRole('link').click();
  await expect(first(page)).toHaveText('zebra');
  await expect(heading(page, 'Held by')).toHaveAttribute('aria-sort', 'ascending');
  await expect(heading(page, 'Lock')).not.toHaveAttribute('aria-sort');
  await expect(page).toHaveURL(/\?sort=who$/);
  await expect(heading(page, 'Held by').getByRole('link')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(first(page)).toHaveText('409');
  await expect(heading(page, 'Held by')).toHaveAttribute('aria-sort', 'descending');
  await heading(page, 'Expires').getByRole('link').click();
  await page.getByRole('searchbox').fill('office');
  await expect(page).toHaveURL(/q=office.*sort=until|sort=until.*q=office/);
  await page.getByRole('link', { name: 'Page 9' }).click();
  await expect(rows(page).last().locator('.what a').first()).toHaveText('zebra');
  await expect(page.getByRole('searchbox')).toHaveValue('office');
});

test('pages have numbers, and are found by them', async ({ api, read, server }) => {
  await office(api);
  const page = await read();
  await expect(page.getByText('1–50 of 411')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Page 1 of 9' })).toBeVisible();
  await page.getByRole('link', { name: 'Page 3', exact: true }).click();
  await expect(first(page)).toHaveText('100');
  await page.getByLabel('Page', { exact: true }).fill('8');
  await page.keyboard.press('Enter');
  await expect(page.getByText('351–400 of 411')).toBeVisible();
  await expect(page.locator('.numbers [aria-current=page]')).toHaveText(/8$/);
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(page.getByText('401–411 of 411')).toBeVisible();
  const plain = await read('', { javaScriptEnabled: false });
  await plain.goto(`${server.url}/?page=4`);
  await plain.getByLabel('Page', { exact: true }).fill('2');
  await plain.getByRole('button', { name: 'Go' }).click();
  await expect(first(plain)).toHaveText('050');
});

test('on a phone the order is chosen from a list', async ({ api, read }) => {
  await office(api);
  const page = await read('', { viewport: { width: 390, height: 844 }, locale: 'ru-RU' });
  await page.getByLabel('Порядок').selectOption('-who');
  await expect(first(page)).toHaveText('409');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test('the key "/" leads to the search, and is a letter where one types', async ({ hold, read, server }) => {
  await hold('Kim', 'crm/contract/2417');
  const page = await read('Petrova');
  await expect(page.locator('#key')).toBeVisible();
  for (const path of ['/', '/ui/history']) {
    await page.goto(server.url + path);
    await page.locator('body').press('/');
    await expect(page.getByRole('searchbox')).toBeFocused();
    await page.keyboard.type('crm/');
    await expect(page.getByRole('searchbox')).toHaveValue('crm/');
    await page.getByRole('searchbox').blur();
    await page.keyboard.press('/');
    await page.keyboard.type('x'); // what was there is selected
    await expect(page.getByRole('searchbox')).toHaveValue('x');
  }
  await page.goto(`${server.url}/ui/me`);
  await page.locator('#name').fill('');
  await page.locator('#name').press('/');
  await expect(page.locator('#name')).toHaveValue('/');
});
