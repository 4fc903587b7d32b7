// "Somebody ran an import while I was typing, and my save was gone." Or the import was.

import { flawless } from '../axe.mjs';
import { expect, isIn, kept, lock, test, text } from './site.mjs';

const ann = { name: 'Ann', user: 'ann' };
const alert = (page) => lock(page).getByRole('alert');
const latest = (page, name = 'Show what is stored now') => page.getByRole('button', { name });

test.beforeEach(({ site }) => { site.revisions = new Map(); });

/** save saves by a script, and returns the status. */
const save = (page) => page.evaluate(async () => {
  const element = document.querySelector('edit-lock');
  const answer = await element.send('/api/records/1', { method: 'PUT', body: () => JSON.stringify({ text: element.querySelector('textarea').value }) });
  return answer.status;
});

test('what an import wrote is not overwritten, and what was typed stays', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ann);
  await isIn(page, 'mine');
  await page.evaluate(() => addEventListener('edit-lock-changed', (e) => { window.told = [e.target.localName, e.detail.seen, e.detail.current]; }));
  await text(page).fill('mine');
  site.store('1', 'imported');
  expect(await save(page)).toBe(412);
  expect(site.records.get('1')).toBe('imported');
  await expect(alert(page)).toContainText('Nothing was saved: this was changed while you edited it');
  expect(await page.evaluate(() => window.told)).toEqual(['edit-lock', '1', '2']);

  // The lock is held, so the reader may go on.
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('mine');
  await expect(text(page)).toBeEditable();
  await flawless(page, 'a save was refused');

  // Until the reader has seen the other text nothing is saved, however often it is tried.
  expect(await save(page)).toBe(412);
  expect(site.records.get('1')).toBe('imported');

  // By keyboard. The reader's text is shown beside what is stored, and put back by the reader alone.
  await latest(page).focus();
  await page.keyboard.press('Enter');
  await expect(text(page)).toHaveValue('imported');
  await isIn(page, 'mine');
  await expect(alert(page)).toBeHidden();
  await expect(kept(page)).toContainText('mine');
  await expect(kept(page)).toContainText('imported');
  await text(page).fill('imported, and mine');
  expect(await save(page)).toBe(200);
  expect(site.records.get('1')).toBe('imported, and mine');
});

test('по-русски: импорт не затёрт, набранное осталось', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit({ ...ann, lang: 'ru' });
  await isIn(page, 'mine');
  await text(page).fill('моё');
  site.store('1', 'из импорта');
  expect(await save(page)).toBe(412);
  await expect(alert(page)).toHaveText(/^Ничего не сохранено: пока вы редактировали, это изменил импорт.*будет показан рядом\.Показать, что сохранено сейчас$/);
  await flawless(page, 'отказ');
  await latest(page, 'Показать, что сохранено сейчас').click();
  await expect(text(page)).toHaveValue('из импорта');
  await expect(page.getByRole('region', { name: 'Ваш несохранённый текст' })).toContainText('моё');
});

test('saves of one page never conflict with each other, nor with the form', async ({ site, visit }) => {
  const page = await visit(ann);
  await isIn(page, 'mine');
  let go;
  site.wait = new Promise((done) => { go = done; });
  const sent = page.evaluate(() => {
    const element = document.querySelector('edit-lock'), area = element.querySelector('textarea');
    const send = () => element.send('/api/records/1', { method: 'PUT', body: () => JSON.stringify({ text: area.value }) }).then((a) => a.status);
    const type = (value) => {
      area.value = value;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    };
    type('first');
    const saves = [send(), send()];
    type('second');
    saves.push(send());
    return Promise.all(saves);
  });
  await expect.poll(() => site.saves.length).toBe(1);
  // The form is sent meanwhile.
  await text(page).fill('third');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.evaluate(() => new Promise((done) => { setTimeout(done, 100); }));
  expect(site.saves.length).toBe(1);
  go();
  await Promise.allSettled([sent]);
  await expect.poll(() => site.records.get('1')).toBe('third');
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('third');
  expect(site.saves.map((s) => s.status)).toEqual(site.saves.map(() => 200));
  const numbers = site.saves.map((s) => s.number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
});

test('a save of a form without scripts carries the version', async ({ site, visit }) => {
  const page = await visit(ann);
  await isIn(page, 'mine');
  await text(page).fill('mine');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => site.records.get('1')).toBe('mine');
  await isIn(page, 'mine');
  expect(site.revision('1')).toBe(2);
  await text(page).fill('mine again');
  site.store('1', 'imported');
  const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === 'POST' && r.url().includes('/records/')), page.getByRole('button', { name: 'Save' }).click()]);
  expect(answer.status()).toBe(412);
  expect(site.records.get('1')).toBe('imported');
  // What was typed is kept for the page that is opened next.
  await page.goto(site.page('1', ann));
  await expect(kept(page)).toContainText('mine again');
});

test('a page that saves in its own way says so, and may ask in its own words', async ({ site, visit }) => {
  const page = await visit(ann);
  await isIn(page, 'mine');
  await text(page).fill('mine');
  const headers = await page.evaluate(() => document.querySelector('edit-lock').headers);
  expect(headers['If-Match']).toBe('"1"');
  const other = await page.evaluate(() => {
    const element = document.querySelector('edit-lock');
    element.saved(undefined, 'редакция "2"');
    return [element.unsaved, element.version, element.headers['If-Match'], element.querySelector('[name=editlock_version]').value];
  });
  expect(other.slice(0, 2)).toEqual([false, 'редакция "2"']);
  expect(decodeURIComponent(other[2])).toBe('"редакция "2""');
  await expect(page.locator('[name=editlock_version]')).toHaveValue('редакция "2"');

  await page.evaluate(() => addEventListener('edit-lock-changed', (e) => e.preventDefault()));
  expect(await save(page)).toBe(412);
  await expect(alert(page)).toBeHidden();
  await expect(text(page)).toHaveValue('mine');
});

test('a page with a reload of its own shows the newest text by it', async ({ site, visit }) => {
  const page = await visit(ann);
  await isIn(page, 'mine');
  await page.evaluate(() => {
    const element = document.querySelector('edit-lock');
    element.reload = async () => {
      const answer = await fetch('/api/records/1'), { text } = await answer.json();
      return () => {
        element.querySelector('textarea').value = text;
        element.version = answer.headers.get('ETag').replaceAll('"', '');
      };
    };
  });
  await text(page).fill('mine');
  site.store('1', 'imported');
  expect(await save(page)).toBe(412);
  await latest(page).click();
  await expect(text(page)).toHaveValue('imported');
  await isIn(page, 'mine');
  await expect(kept(page)).toContainText('mine');
  await page.getByRole('button', { name: 'Put it into the form' }).click();
  await expect(text(page)).toHaveValue('mine');
  expect(await save(page)).toBe(200);
  expect(site.records.get('1')).toBe('mine');
});

test('a record that is gone is told of, and the text stays', async ({ visit }) => {
  const page = await visit(ann);
  await isIn(page, 'mine');
  await text(page).fill('mine');
  await page.evaluate(() => document.querySelector('edit-lock').refused({ code: 'changed', seen: '1', current: null }));
  await expect(alert(page)).toContainText('this was deleted while you edited it');
  await expect(latest(page)).toHaveCount(0);
  await expect(text(page)).toHaveValue('mine');
});
