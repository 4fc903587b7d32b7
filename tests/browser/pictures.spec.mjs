// The README's pictures, taken from the real thing. They are rewritten with
// UPDATE_PICTURES=1 (npm run pictures); otherwise they only have to be
// pictures.

import { join } from 'node:path';
import { statSync } from 'node:fs';
import { click, detail, expect, headline, isIn, notes, say, state, test } from './office.mjs';

const folder = join(import.meta.dirname, '../../docs/pictures');

async function picture(page, name, testInfo) {
  await page.evaluate(() => document.fonts.ready);
  const path = process.env.UPDATE_PICTURES ? join(folder, name) : testInfo.outputPath(name);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  expect(statSync(path).size).toBeGreaterThan(20_000);
}

// Whenever the pictures are taken, it is about noon in the office.
const offset = 12 - new Date().getUTCHours();
const timezoneId = `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`; // the sign is POSIX's, the wrong way round

const desk = { viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, timezoneId };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, timezoneId, isMobile: true, hasTouch: true };

test('the second person is refused', async ({ edit, knock, arrive, server }, testInfo) => {
  await edit('Pavel Ivanov', desk);
  const sidorova = await arrive('Maria Sidorova', desk);
  await sidorova.goto(new URL('documents/invoice-1094', server.office).href);
  await isIn(sidorova, 'mine');
  const petrova = await knock('Anna Petrova', desk);
  await expect(petrova.locator('.card', { hasText: 'Invoice 1094' })).toContainText('Maria Sidorova, since');
  await expect(petrova.locator('#history li')).toHaveCount(1);
  await picture(petrova, 'refusal.png', testInfo);
});

test('somebody asks, at night', async ({ edit, knock }, testInfo) => {
  const ivanov = await edit('Pavel Ivanov', { ...desk, colorScheme: 'dark' });
  const petrova = await knock('Anna Petrova');
  await click(petrova, 'Wait in the queue');
  await say(petrova, 'I only need to correct the due date. May I?', 'Wait');
  await notes(ivanov).fill('Delivery in two parts: desks by the end of January, cabinets by the end of March.\nPenalty: 0.1 % a day, 10 % at most.');
  await expect(detail(ivanov)).toContainText('Waiting for you: 1.');
  await picture(ivanov, 'ask-dark.png', testInfo);
});

test('who else looks', async ({ edit, arrive, server }, testInfo) => {
  const ivanov = await edit('Pavel Ivanov', desk);
  await notes(ivanov).fill('Delivery in two parts: desks by the end of January, cabinets by the end of March.');
  const petrova = await arrive('Anna Petrova', desk);
  for (const name of ['Maria Sidorova', 'Kim Chen', 'Olga Roth', 'David Berg']) {
    const other = await arrive(name);
    await other.goto(server.contract);
    await isIn(other, 'other');
  }
  await ivanov.evaluate(() => dispatchEvent(new Event('online')));
  await petrova.goto(server.contract);
  await isIn(petrova, 'other');
  const company = petrova.locator('#company');
  await expect(company).toContainText('Pavel Ivanov has unsaved edits.');
  await company.locator('summary').click();
  await expect(company.locator('li')).toHaveCount(4);
  await expect(petrova.locator('.card-looking').first()).toContainText('looking: 4');
  await picture(petrova, 'presence.png', testInfo);
});

test('кто ещё смотрит', async ({ arrive, server }, testInfo) => {
  const ru = { ...desk, locale: 'ru-RU' }, open = async (name) => {
    const page = await arrive(name, ru);
    await page.goto(server.contract);
    await expect(state(page)).toHaveAttribute('state', /mine|other/);
    return page;
  };
  const ivanov = await open('Павел Иванов');
  for (const name of ['Анна Петрова', 'Мария Сидорова', 'Ким Чен', 'Ольга Рот', 'Давид Берг']) await open(name);
  await ivanov.evaluate(() => dispatchEvent(new Event('online')));
  await expect(ivanov.locator('#company summary')).toContainText('и ещё 2');
  await picture(ivanov, 'presence-ru.png', testInfo);
});

test('an agent edits', async ({ arrive }, testInfo) => {
  const anna = await arrive('Anna Petrova', desk);
  await click(anna, 'Let an assistant edit the price list');
  await expect(headline(anna)).toContainText('Assistant (agent for Anna Petrova)');
  await expect(anna.locator('.card', { hasText: 'Price list 12' })).toContainText('Assistant');
  await expect(anna.locator('#history li')).toHaveCount(1);
  await picture(anna, 'agent.png', testInfo);
});

test('a save is refused, as an import wrote past the lock', async ({ edit }, testInfo) => {
  const anna = await edit('Anna Petrova', desk);
  await notes(anna).fill('Delivery in two parts: desks by the end of January, cabinets by the middle of April.');
  await anna.evaluate(() => { document.querySelector('edit-lock').version = '0'; }); // as if the stored text were of a later version
  await click(anna, 'Save');
  await expect(state(anna).getByRole('alert')).toContainText('Nothing was saved');
  await expect(anna.locator('#history li')).toHaveCount(1);
  await anna.evaluate(() => scrollTo(0, 0));
  await picture(anna, 'changed.png', testInfo);
});

test('the sections of an agreement', async ({ arrive, server }, testInfo) => {
  const tall = { ...desk, viewport: { width: 1280, height: 1240 } }, address = new URL('documents/agreement-7', server.office).href;
  const anna = await arrive('Anna Petrova', tall), ivanov = await arrive('Pavel Ivanov', desk);
  for (const page of [anna, ivanov]) await page.goto(address);
  const section = (page, name) => page.locator(`edit-lock[object-part=${name}]`);
  await ivanov.getByRole('textbox', { name: 'Address' }).click();
  await expect(section(ivanov, 'delivery')).toHaveAttribute('state', 'mine');
  await anna.getByRole('textbox', { name: 'Amount' }).click();
  await expect(section(anna, 'payment')).toHaveAttribute('state', 'mine');
  await anna.getByRole('textbox', { name: 'Amount' }).fill('50,000.00 a year');
  await expect(section(anna, 'delivery').locator('#headline')).toContainText('Pavel Ivanov');
  await expect(anna.locator('.card', { hasText: 'Agreement 7' })).toContainText('By section: you, Pavel Ivanov');
  await anna.evaluate(() => scrollTo(0, 0));
  await picture(anna, 'agreement.png', testInfo);
});

test('the loser of a takeover keeps their text, on a phone', async ({ edit, knock }, testInfo) => {
  const ivanov = await edit('Pavel Ivanov', phone), petrova = await knock('Anna Petrova');
  await notes(ivanov).fill('Penalty: 0.1 % a day, 10 % at most.');
  await click(petrova, 'Take over…');
  await say(petrova, 'The customer is on the phone', 'Take over');
  await expect(headline(ivanov)).toContainText('Anna Petrova took this over');
  await expect(notes(ivanov)).toHaveValue(/^Delivery in two parts/);
  await ivanov.evaluate(() => scrollTo(0, 0));
  await picture(ivanov, 'takeover-phone.png', testInfo);
});

test('отказ по-русски', async ({ arrive, server }, testInfo) => {
  const ru = { ...desk, locale: 'ru-RU' };
  const ivanov = await arrive('Павел Иванов', ru), petrova = await arrive('Анна Петрова', ru);
  await ivanov.goto(server.contract);
  await isIn(ivanov, 'mine');
  await petrova.goto(server.contract);
  await isIn(petrova, 'other');
  await expect(petrova.locator('#history li')).toHaveCount(1);
  await picture(petrova, 'refusal-ru.png', testInfo);
});
