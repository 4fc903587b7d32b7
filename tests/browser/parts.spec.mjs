// People who edit parts of one record, beside each other and beside those who edit the whole.

import { flawless } from './axe.mjs';
import { expect, isIn, lock, mutex, test, text } from './complaints/site.mjs';
import { say } from './office.mjs';

const anna = { name: 'Anna', user: 'u1' }, boris = { name: 'Boris', user: 'u2' }, carl = { name: 'Carl', user: 'u3' };
const part = (who, name) => ({ ...who, 'object-part': name });
const headline = (page) => page.locator('#headline');
const detail = (page) => page.locator('#detail');
const offers = (page) => page.locator('#actions button');

test('two people edit two parts of one record, and who edits the whole is told which part is in the way', async ({ site, visit }) => {
  const first = await visit(part(anna, 'address')), second = await visit(part(boris, 'lines'));
  for (const page of [first, second]) {
    await isIn(page, 'mine');
    await expect(text(page)).toBeEditable();
  }
  const third = await visit(part(carl, 'lines'));
  await expect(headline(third)).toHaveText(/^Boris has been editing this since/);
  await expect(offers(third)).toHaveText(['Wait in the queue', 'Take over…']);
  await third.close();

  const whole = await visit(carl);
  await isIn(whole, 'other');
  await expect(headline(whole)).toHaveText(/^Anna has been working on a part of this, “address”, since\s\d?\d:\d\d$/);
  await expect(text(whole)).not.toBeEditable();
  await expect(offers(whole)).toHaveText(['Wait in the queue']); // the others' parts stay theirs
  await first.goto(`${site.url}/client`);
  await expect(headline(whole)).toHaveText(/^Boris has been working on a part of this, “lines”/);
});

test('who edits the whole keeps everybody from its parts, and each part is free with it', async ({ site, visit }) => {
  const whole = await visit(anna);
  await isIn(whole, 'mine');
  const first = await visit(part(boris, 'address')), second = await visit(part(carl, 'lines'));
  for (const page of [first, second]) await expect(headline(page)).toHaveText(/^Anna has been working on the whole document since/);
  await first.getByRole('button', { name: 'Wait in the queue' }).focus();
  await first.keyboard.press('Enter');
  await expect(headline(first)).toHaveText('You are in the queue');
  await expect(detail(first)).toHaveText(/^Anna has been editing since .* You get the document as soon as it is free/);
  await expect(offers(first)).toHaveText(['Stop waiting']);
  await expect(first.locator('#banner')).toBeFocused();

  site.records.set('1', 'what Anna saved');
  await whole.goto(`${site.url}/client`);
  await isIn(first, 'mine');
  await expect(text(first)).toHaveValue('what Anna saved'); // the page was loaded again
  await isIn(second, 'free');
});

test('who waits for the whole gets it with what was saved in its parts, and nobody begins meanwhile', async ({ site, visit }) => {
  const first = await visit(part(anna, 'address'));
  await isIn(first, 'mine');
  await expect(detail(first)).toHaveText(/^Others see your name here/);
  const whole = await visit(carl);
  await whole.getByRole('button', { name: 'Wait in the queue' }).click();
  await say(whole, 'the audit begins', 'Wait');
  await expect(headline(whole)).toHaveText('You are in the queue');
  // It reaches who holds a part, by an event and not with the next beat.
  await expect(first.locator('#status[role=status][aria-live=polite]')).toContainText(/Carl has been waiting for all of this since\s\d?\d:\d\d: “the audit begins”/, { timeout: 5_000 });
  await expect(first.locator('#waiters')).toBeHidden(); // nothing of this page's to hand over
  await flawless(first, 'somebody waits for the whole');
  const late = await visit(part(boris, 'lines'));
  await expect(headline(late)).toHaveText('Somebody is waiting for all of this, so nobody else can start now');
  await isIn(first, 'mine');
  site.records.set('1', 'what Anna saved');
  await first.goto(`${site.url}/client`);
  await isIn(whole, 'mine');
  await expect(text(whole)).toHaveValue('what Anna saved');
  await expect(headline(late)).toHaveText(/^Carl has been working on the whole document/);
});

test('who waits for all of a type is told to all who hold one of it, also where they look elsewhere', async ({ site, visit }) => {
  const page = await visit({ ...anna, idle: '15s' });
  await isIn(page, 'mine');
  await page.evaluate(() => { document.hasFocus = () => false; });
  const waits = site.editlock('/v1/capture', {
    mutex: { group: 'site', mode: 'record', below: true }, owner: { session: 'import', name: 'The import' }, wait: '4s',
  });
  await expect(detail(page)).toHaveText(/^The import has been waiting for all of this since\s\d?\d:\d\d\. Nobody else gets any of it now\. Others see/);
  await expect(page).toHaveTitle(/^\(1\)/);
  await expect(text(page)).toBeEditable();
  expect((await waits).code).toBe('busy');
  await expect(detail(page)).toHaveText(/^Others see your name here/); // with the next beat: who leaves is no event
  await expect(page).toHaveTitle(/^(?!\(1\))/);
});

test('all of a type in the hands of another is told as such, and a takeover of a part is that of the part', async ({ site, visit }) => {
  await site.editlock('/v1/capture', { mutex: { group: 'site', mode: 'record', below: true }, owner: { session: 'import', name: 'The import' } });
  const page = await visit(part(anna, 'address'));
  await expect(headline(page)).toHaveText(/^The import has been working on all documents like this since/);
  await site.editlock('/v1/release', { mutex: { group: 'site', mode: 'record', below: true }, owner: { session: 'import' } });
  await isIn(page, 'free');
  await page.getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');

  const other = await visit(part(boris, 'lines')), taker = await visit(part(carl, 'address'));
  await isIn(other, 'mine');
  await taker.getByRole('button', { name: 'Take over…' }).click();
  await say(taker, 'the post has come', 'Take over');
  await isIn(taker, 'mine');
  await expect(headline(page)).toHaveText(/^Carl took this over at/);
  await isIn(other, 'mine');
  const holds = (await site.editlock('/v1/mutexes?group=site')).mutexes.map((m) => `${m.mutex.part} ${m.owner.name}`);
  expect(holds.sort()).toEqual(['address Carl', 'lines Boris']);
});

test('two parts of one page are two locks, each with its own text left behind', async ({ site, visit }) => {
  site.pages.set('/two', { type: 'text/html; charset=utf-8', body: `<!doctype html><html lang="en"><head><title>Two</title>
    <script type="module" src="/editlock/element.js"></script></head><body><main><h1>Two</h1>
    ${['address', 'lines'].map((name) => `<edit-lock group="site" mode="record" object="1" object-part="${name}" user="u1" name="Anna" id="${name}">
      <form inert><label>${name} <input name="text"></label></form></edit-lock>`).join('')}</main></body></html>` });
  const other = await visit(part(boris, 'lines'));
  await isIn(other, 'mine');
  const page = await other.context().browser().newPage();
  await page.goto(`${site.url}/two`);
  await expect(page.locator('#address')).toHaveAttribute('state', 'mine');
  await expect(page.locator('#lines')).toHaveAttribute('state', 'other');
  await page.getByLabel('address').fill('typed');
  await site.editlock('/v1/takeover', { mutex: { ...mutex('1'), part: 'address' }, owner: { session: 's', name: 'Carl' }, reason: 'r',
    seen_token: await page.locator('#address').evaluate((e) => e.lock.token) });
  await expect(page.locator('#address #kept')).toBeVisible();
  await expect(page.locator('#address #kept')).toContainText('typed');
  await expect(page.locator('#lines #kept')).toBeHidden();
  await page.context().close();
});

test('по-русски: чья часть мешает, и страницы доступны', async ({ visit }) => {
  const ru = { locale: 'ru-RU' }, lang = { lang: 'ru' };
  const first = await visit({ ...part(anna, 'адрес'), ...lang }, '1', ru);
  await isIn(first, 'mine');
  const whole = await visit({ ...carl, ...lang }, '1', ru);
  await expect(headline(whole)).toHaveText(/^Anna работает с частью документа «адрес» с\s\d?\d:\d\d$/);
  await flawless(whole, 'a part is in the way');
  await whole.getByRole('button', { name: 'Встать в очередь' }).click();
  await say(whole, 'начинается проверка', 'Ждать');
  await expect(headline(whole)).toHaveText('Вы в очереди');
  await expect(detail(first)).toHaveText(/^Carl ждёт, когда освободится всё это, с\s\d?\d:\d\d: «начинается проверка»/);
  await flawless(first, 'somebody waits for the whole');
  const late = await visit({ ...part(boris, 'строки'), ...lang }, '1', ru);
  await expect(headline(late)).toHaveText('Кто-то ждёт документ целиком, поэтому начать правку пока нельзя');
  await first.close();
  await expect(lock(whole)).toHaveAttribute('state', 'mine');
  await expect(headline(late)).toHaveText(/^Carl работает со всем документом с/);
  await flawless(late, 'the whole is in the way');
});
