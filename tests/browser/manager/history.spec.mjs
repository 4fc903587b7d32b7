// What happened: found, drawn and exported.

import { readFile } from 'node:fs/promises';
import { expect, owner, parse, test } from './manager.mjs';

const entries = (page) => page.locator('#entries li');

async function day({ hold, api }) {
  await hold('Ivanov', 'crm/contract/2417');
  await api('/v1/release', { mutex: parse('crm/contract/2417'), owner: owner('Ivanov') });
  const { token } = await hold('Kim', 'crm/contract/2417');
  await api('/v1/takeover', { mutex: parse('crm/contract/2417'), owner: owner('Petrova'), seen_token: token, reason: 'the customer is here' });
  const held = await hold('Ivanov', 'crm/invoice/1093');
  await api('/v1/force-release', { mutex: parse('crm/invoice/1093'), owner: owner('Kim'), seen_token: held.token, reason: '=SUM(A1)' });
}

test('the history is searched by text, people, names, events and days', async ({ hold, api, read, server }) => {
  await day({ hold, api });
  const page = await read('', { timezoneId: 'Pacific/Auckland' });
  await page.goto(`${server.url}/ui/history`);
  await expect(entries(page)).toHaveCount(6);
  const found = async (n) => {
    await expect(entries(page)).toHaveCount(n);
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await expect(entries(page)).toHaveCount(6);
  };
  await page.getByLabel('Search').fill('CUSTOMER');
  await found(1);
  await page.getByLabel('Person').fill('ivanov');
  await found(4);
  await page.getByLabel('Group').fill('crm');
  await page.getByLabel('Mode').fill('invoice');
  await page.getByLabel('Object').fill('1093');
  await found(2);
  await page.getByLabel('Event').selectOption('taken over');
  await found(1);
  const here = await page.evaluate(() => new Date().toLocaleDateString('sv'));
  await page.locator('#from').fill(here);
  await page.locator('#to').fill(here);
  await expect(page).toHaveURL(/from=\d{4}-\d\d-\d\dT00%3A00%3A00%2B1[23]%3A00/);
  await expect(entries(page)).toHaveCount(6);
  await page.reload();
  await expect(page.locator('#from')).toHaveValue(here);
  await page.locator('#to').fill('2020-01-01');
  await page.locator('#from').fill('');
  await expect(entries(page)).toHaveCount(0);
  await expect(page.locator('#say')).toHaveText('Entries shown: 0');
});

test('it works without scripts, in Russian too', async ({ hold, api, read, server }) => {
  await day({ hold, api });
  const page = await read('', { javaScriptEnabled: false, locale: 'ru-RU' });
  await page.goto(`${server.url}/ui/history`);
  await page.getByLabel('Событие').selectOption('перехват');
  await page.getByLabel('Объект').fill('2417');
  await page.getByLabel(/^С \(UTC\)/).fill('2020-01-01');
  await page.getByRole('button', { name: 'Применить' }).click();
  await expect(entries(page)).toHaveCount(1);
  await expect(page.getByLabel('Объект')).toHaveValue('2417');
  await page.goto(`${server.url}/ui/lock?id=crm/contract/2417`);
  await page.locator('#timeline summary').click();
  await expect(page.locator('#timeline tbody tr')).toHaveCount(3);
});

test('what is found is exported', async ({ hold, api, read, server }) => {
  await day({ hold, api });
  const page = await read();
  await page.goto(`${server.url}/ui/history?group=crm&mode=invoice&object=1093`);
  const file = async (name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
    expect(download.suggestedFilename()).toMatch(/^editlock-history-\d{8}T\d{6}Z\.(csv|json)$/);
    return readFile(await download.path(), 'utf8');
  };
  const { entries: all, next_cursor: next } = JSON.parse(await file('JSON'));
  expect([all.map((e) => e.kind), next]).toEqual([['force_released', 'captured'], null]);
  const lines = (await file('CSV')).split('\r\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^\ufeffseq,at_utc,kind,group,mode,id,part,below,owner_name/);
  expect(lines[1]).toMatch(/,force_released,crm,invoice,1093,,,Ivanov,.*,'=SUM\(A1\)$/);
});

test('a lock and a person have a timeline', async ({ hold, api, read, server }) => {
  await day({ hold, api });
  const page = await read('', { timezoneId: 'Asia/Kolkata' });
  await page.goto(`${server.url}/ui/lock?id=crm/contract/2417`);
  const picture = page.getByRole('img', { name: /A bar for each time/ });
  await expect(picture).toBeVisible();
  await expect(picture.locator('.bar')).toHaveCount(3);
  await expect(picture.locator('.bar.open')).toHaveCount(1);
  await expect(picture.locator('.taken')).toHaveCount(1);
  await expect(picture.locator('.label')).toHaveText(['Petrova', 'Kim', 'Ivanov']);
  const time = await page.evaluate(() => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(Date.now() - 30_000).slice(0, 3));
  await expect(picture.locator('.bar.open title')).toHaveText(new RegExp(`^Petrova: (${time}|\\d\\d:)\\d\\d – …$`));
  const colour = (locator) => locator.evaluate((e) => /hue-\d+/.exec(e.getAttribute('class'))[0]);
  expect(await colour(picture.locator('.bar.open'))).toBe(await colour(page.locator('.headline .badge')));

  await api('/v1/release', { mutex: parse('crm/contract/2417'), owner: owner('Petrova') });
  await expect(picture.locator('.bar.open')).toHaveCount(0); // by itself
  await page.getByText('The same as a table').click();
  await expect(page.locator('#timeline tbody tr')).toHaveCount(3);
  await expect(page.locator('#timeline tbody tr').nth(1)).toContainText('taken over');
  await expect(page.locator('#timeline tbody tr').nth(1)).toContainText('the customer is here');

  await page.goto(`${server.url}/ui/person?who=u:ivanov`);
  await expect(picture.locator('.bar')).toHaveCount(2);
  await expect(picture.locator('.forced')).toHaveCount(1);
  await expect(picture.locator('.label')).toHaveText(['crm/invoice/1093', 'crm/contract/2417']);
});
