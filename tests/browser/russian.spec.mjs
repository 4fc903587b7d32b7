// По-русски: the same pages for a Russian reader.

import { expect, headline, isIn, say, test } from './office.mjs';

const russian = { locale: 'ru-RU' };

test('по-русски: кто редактирует, очередь, перехват', async ({ arrive, server }) => {
  const ivanov = await arrive('Иванов', russian), petrova = await arrive('Петрова', russian);
  await expect(ivanov.getByRole('heading', { level: 1 })).toHaveText('Один документ — один редактор');
  await ivanov.goto(server.contract);
  await isIn(ivanov, 'mine');
  await expect(headline(ivanov)).toHaveText(/^Вы редактируете с\s\d?\d:\d\d$/);
  await ivanov.getByRole('textbox', { name: 'Примечания' }).fill('Не сохранено');

  await petrova.goto(server.contract);
  await expect(headline(petrova)).toHaveText(/^Иванов редактирует с\s\d?\d:\d\d$/);
  await expect(petrova.getByRole('heading', { level: 1 })).toHaveText('Поставка офисной мебели');
  await petrova.getByRole('button', { name: 'Встать в очередь' }).click();
  await say(petrova, 'Поправлю срок?', 'Ждать');
  await expect(headline(petrova)).toHaveText('Ваш номер в очереди: 1');
  await expect(ivanov.getByRole('region', { name: 'Вас ждут' })).toContainText('Поправлю срок?');

  await petrova.getByRole('button', { name: 'Перехватить…' }).click();
  await say(petrova, 'Звонит клиент', 'Перехватить');
  await expect(headline(ivanov)).toHaveText(/^Теперь редактирует Петрова: перехват в\s\d?\d:\d\d$/);
  await expect(ivanov.getByRole('region', { name: 'Ваш несохранённый текст' })).toContainText('Не сохранено');
  await expect(ivanov.locator('#history')).toContainText('Перехват: Иванов → Петрова');

  await test.step('и ни слова по-английски', async () => {
    for (const page of [ivanov, petrova]) {
      const words = (await page.locator('body').innerText()).match(/[A-Za-z]{2,}/g);
      expect(new Set(words)).toEqual(new Set(['editlock', 'English']));
    }
  });
});

test('the language can be changed, and stays', async ({ edit, server }) => {
  const page = await edit('Ivanov');
  await page.getByRole('link', { name: 'Русский' }).click();
  await expect(page).toHaveURL(server.contract);
  await isIn(page, 'mine');
  await expect(headline(page)).toContainText('Вы редактируете');
  await page.goto(server.office);
  await expect(page.locator('html')).toHaveAttribute('lang', 'ru');
  await page.getByRole('link', { name: 'English' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('One document, one pen');
});
