// Locks that several hold at once: readers, and a limit.

import { flawless } from '../axe.mjs';
import { count, expect, parse, row, rows, test } from './manager.mjs';

for (const options of [{}, { locale: 'ru-RU', viewport: { width: 390, height: 844 } }]) {
  const russian = Boolean(options.locale);
  test(`several who hold a lock are told apart ${russian ? 'on a phone, in Russian' : 'on a desk'}`, async ({ hold, await_, read, server, api }) => {
    test.slow(); // axe runs eight times
    for (const name of ['Ivanov', 'Petrova', 'Sidorova']) await hold(name, 'crm/report/7', { sharing: 'shared' });
    for (const name of ['Chen', 'Kim']) await hold(name, 'etl/import/nightly', { limit: 3 });
    await await_('Smith', 'crm/report/7', 'A typo on page 2');
    const page = await read('Petrova', options);
    await expect(rows(page)).toHaveCount(5);
    await expect(row(page, '7').locator('.share')).toHaveText(Array(3).fill(russian ? 'совместно: 3' : 'shared by 3'));
    await expect(row(page, 'nightly').locator('.share')).toHaveText(Array(2).fill(russian ? 'держат 2 из 3' : '2 of 3 hold it'));
    await expect(count(page, russian ? 'ждут' : 'waiting')).toHaveText('1');
    await flawless(page, 'list');

    await page.goto(`${server.url}/ui/lock?id=crm/report/7`);
    await expect(page.locator('#holders')).toHaveText(russian ? 'Кто держит совместно: 3' : 'Who holds it shared by 3');
    await expect(page.locator('#state .card .owner')).toHaveText(['Ivanov', 'Petrova', 'Sidorova']);
    await flawless(page, 'a shared lock');
    await page.getByRole('button', { name: russian ? 'Снять crm/report/7 (Sidorova)' : 'Release crm/report/7 (Sidorova)' }).click();
    await expect(page.locator('.lead')).toContainText(russian ? 'У остальных' : 'Others who hold the same lock keep it.');
    await flawless(page, 'the question');
    await page.locator('#reason').fill('on leave');
    await page.getByRole('button', { name: russian ? 'Снять' : 'Release', exact: true }).click();
    await expect(page.locator('#state .card .owner')).toHaveText(['Ivanov', 'Petrova']);
    const { holders } = await api('/v1/request', { mutex: parse('crm/report/7') });
    expect(holders.map((h) => h.owner.name)).toEqual(['Ivanov', 'Petrova']);

    await page.goto(`${server.url}/ui/lock?id=etl/import/nightly`);
    await expect(page.locator('#holders .share')).toHaveText(russian ? 'держат 2 из 3' : '2 of 3 hold it');
    await hold('Petrova', 'etl/import/nightly', { limit: 3 }); // the page follows
    await expect(page.locator('#holders .share')).toHaveText(russian ? 'держат 3 из 3' : '3 of 3 hold it');
    await flawless(page, 'permits');
  });
}
