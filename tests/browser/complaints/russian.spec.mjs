// Where a lock could be typed past, or a text be lost: the same in Russian, by keyboard
// alone, and without a fault that axe finds.

import { flawless } from '../axe.mjs';
import { blocked } from './blocked.mjs';
import { expect, isIn, lock, mutex, test, text } from './site.mjs';

const ivanov = { name: 'Иванов', user: 'ivanov', lang: 'ru' };
const petrova = { session: 'petrova', user_id: 'petrova', name: 'Петрова' };
const headline = (page) => lock(page).locator('#headline');
const kept = (page) => page.getByRole('region', { name: 'Ваш несохранённый текст' });
const call = (site, path, more) => site.editlock(path, { mutex: mutex('1'), owner: petrova, ...more });
const takeOver = async (site) => call(site, '/v1/takeover', { seen_token: (await site.holder('1')).token, reason: 'срочно' });

/** press goes to a button by Tab alone, and presses it. */
async function press(page, name) {
  const button = page.getByRole('button', { name, exact: true });
  await expect(button).toBeVisible();
  for (let i = 0; i < 30 && !await button.evaluate((b) => b.matches(':focus')); i++) await page.keyboard.press('Tab');
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
}

test('редактор во фрейме закрыт, пока документ у другого, и его текст не теряется', async ({ site, page }) => {
  await call(site, '/v1/capture');
  site.pages.set('/form', {
    type: 'text/html', body: `<!doctype html><html lang="ru"><meta charset="utf-8"><title>Договор</title><script type="module" src="/editlock/element.js"></script>
      <main><h1>Договор</h1><edit-lock group="site" mode="record" object="1" session="ivanov" user="ivanov" name="Иванов" lang="ru">
      <form><iframe id="text" title="Текст" srcdoc="<html lang=ru><title>Текст</title><body contenteditable role=textbox aria-label=Текст>как было</body></html>"></iframe></form></edit-lock></main></html>`,
  });
  await page.goto(`${site.url}/form`);
  await page.evaluate(() => { document.querySelector('edit-lock').reload = async () => () => { document.getElementById('text').contentDocument.body.textContent = 'как было'; }; });
  const body = page.frameLocator('#text').locator('body');
  await isIn(page, 'other');
  await expect(headline(page)).toContainText('Петрова редактирует с');
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('Tab');
    await page.keyboard.type('x');
  }
  await expect(body).toHaveText('как было');
  await flawless(page, 'фрейм закрыт');

  await call(site, '/v1/release');
  await press(page, 'Начать правку');
  await isIn(page, 'mine');
  for (let i = 0; i < 30 && !await body.evaluate((b) => b.ownerDocument.hasFocus()); i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' и ещё');
  await expect(body).toHaveText('как было и ещё');
  await takeOver(site);
  await isIn(page, 'lost');
  await expect(headline(page)).toContainText('Теперь редактирует Петрова: перехват в');
  await expect(body).toHaveText('как было');
  await expect(kept(page)).toContainText('как было и ещё');
  await flawless(page, 'текст из фрейма оставлен');
});

test('два человека в одном браузере — это двое', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const other = await visit({ name: 'Петрова', user: 'petrova', lang: 'ru' }, '1', { context: page.context() });
  await isIn(other, 'other');
  await expect(headline(other)).toContainText('Иванов редактирует с');
  await flawless(other, 'второй человек');
  await press(other, 'Перехватить…');
  const dialog = other.getByRole('dialog', { name: 'Перехватить: Иванов' });
  await expect(dialog.getByRole('textbox', { name: 'Причина' })).toBeFocused();
  await other.keyboard.press('Enter');
  await expect(dialog).toBeVisible(); // not without a reason
  await flawless(other, 'причина перехвата');
  await dialog.getByRole('textbox').focus();
  await other.keyboard.type('срочно');
  await press(other, 'Перехватить');
  await isIn(other, 'mine');
  await isIn(page, 'lost');
  await expect(headline(page)).toContainText('Теперь редактирует Петрова');
  expect((await site.holder('1')).owner).toMatchObject({ user_id: 'petrova', name: 'Петрова' });
});

test('о тексте, который хранится, так и сказано, и после обновления он на месте', async ({ site, visit }) => {
  const page = await visit({ ...ivanov, session: 'ivanov' });
  await isIn(page, 'mine');
  await text(page).focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(', и полфразы');
  await takeOver(site);
  await isIn(page, 'lost');
  await expect(kept(page)).toContainText('Хранится в этом браузере, пока вы его не удалите.');
  await flawless(page, 'текст хранится');
  await page.reload();
  await isIn(page, 'other');
  await expect(kept(page)).toContainText('полфразы');
  await call(site, '/v1/release');
  await press(page, 'Начать правку');
  await isIn(page, 'mine');
  await press(page, 'Вернуть в форму');
  await expect(text(page)).toHaveValue('as it was, и полфразы');
});

blocked('где данные сайтов запрещены, о перехвате сказано сразу, а текст предложен файлом', async ({ site, page, open }) => {
  await open({ ...ivanov });
  await isIn(page, 'mine');
  await text(page).focus();
  await page.keyboard.type('полфразы ');
  await expect(lock(page).locator('#detail')).toContainText('не может хранить несохранённый текст');
  await flawless(page, 'хранить негде');
  site.fault = (c) => c.path === '/v1/refresh' ? { delay: 60_000 } : null; // only the event can tell
  await takeOver(site);
  await isIn(page, 'lost');
  await expect(headline(page)).toContainText('Теперь редактирует Петрова');
  await expect(kept(page)).toContainText('Этот браузер не смог его сохранить');
  await flawless(page, 'текст не сохранён');
  const downloaded = page.waitForEvent('download');
  await press(page, 'Скачать');
  expect(await (await downloaded).failure()).toBeNull();
});
