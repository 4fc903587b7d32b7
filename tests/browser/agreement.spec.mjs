// The demo's agreement: five sections, which different people edit beside each other.

import { flawless } from './axe.mjs';
import { click, expect, say, test as base } from './office.mjs';

const test = base.extend({
  // open arrives and opens the agreement, held by nobody until the reader comes to a section.
  open: async ({ arrive, server }, use) => {
    await use(async (name, options) => {
      const page = await arrive(name, options);
      await page.goto(new URL('/demo/documents/agreement-7', server.url).href);
      await expect(page.locator('edit-lock[state]')).toHaveCount(5);
      await expect(page.locator('edit-lock[state=closed]')).toHaveCount(0);
      return page;
    });
  },
});

const section = (page, name) => page.locator(`edit-lock[object-part=${name}]`);
const isIn = (page, name, state) => expect(section(page, name)).toHaveAttribute('state', state);
const headline = (page, name) => section(page, name).locator('#headline');
const field = (page, name) => page.getByRole('textbox', { name, exact: true });
const card = (page, number) => page.locator(`.card[data-number="${number}"]`);

test('two people edit two sections of the agreement, and one save carries the tokens of all that changed', { tag: '@firefox' }, async ({ open, arrive, api }) => {
  const anna = await open('Anna'), boris = await open('Boris'), carl = await arrive('Carl');
  await field(anna, 'Address').click();
  await isIn(anna, 'delivery', 'mine');
  await field(boris, 'Amount').click();
  await isIn(boris, 'payment', 'mine');
  await expect(headline(boris, 'delivery')).toHaveText(/^Anna has been editing this since/);
  await expect(headline(anna, 'payment')).toHaveText(/^Boris has been editing this since/);
  await expect(card(carl, 7)).toContainText('By section: Anna, Boris');
  await expect(card(anna, 7)).toContainText('By section: you, Boris');

  await field(boris, 'Amount').fill('50,000.00 a year');
  await click(boris, 'Save');
  await expect(boris.locator('#saved')).toHaveText('Saved as version 2');
  await field(anna, 'Address').fill('7 Quay Street');
  await field(anna, 'Notes').click();
  await isIn(anna, 'notes', 'mine');
  await field(anna, 'Notes').fill('No deliveries on Mondays.');
  await isIn(anna, 'delivery', 'mine'); // it is not saved
  const [sent] = await Promise.all([anna.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/demo/api/documents/agreement-7')), click(anna, 'Save')]);
  expect(sent.headers()['editlock-token']).toMatch(/^delivery=\d+,notes=\d+$/);
  await expect(anna.locator('#saved')).toHaveText('Saved as version 3');
  expect(await api('/demo/api/documents/agreement-7')).toMatchObject({
    parts: { parties: 1, payment: 2, delivery: 3, notes: 3 },
    fields: { amount: '50,000.00 a year', address: '7 Quay Street', note: 'No deliveries on Mondays.', party: 'Harbour Ltd' },
  });
  await expect(anna.locator('#history')).toContainText('Anna saved version 3');
  await expect(anna.locator('#history')).toContainText('Boris started editing · Payment');

  // What was left and is saved is free; who comes to it finds the newest text.
  await isIn(anna, 'delivery', 'free');
  await field(boris, 'Address').click();
  await isIn(boris, 'delivery', 'mine');
  await expect(field(boris, 'Address')).toHaveValue('7 Quay Street');
  await field(boris, 'Address').fill('9 Quay Street');
  await click(boris, 'Save');
  await expect(boris.locator('#saved')).toHaveText('Saved as version 4');
});

test('going from section to section by keyboard moves nothing, and holds one at a time', async ({ open }) => {
  const anna = await open('Anna');
  await field(anna, 'Subject').focus();
  await isIn(anna, 'subject', 'mine');
  const names = ['Contact', 'Scope', 'Address', 'Amount', 'Notes'];
  const boxes = async () => Promise.all(names.map((name) => field(anna, name).evaluate((e) => {
    const { top, height } = e.getBoundingClientRect();
    return [top + scrollY, height];
  })));
  const before = await boxes();
  for (const [name, at] of [['Address', 'delivery'], ['Terms', 'payment'], ['Notes', 'notes']]) {
    while (!await field(anna, name).evaluate((e) => e === document.activeElement)) await anna.keyboard.press('Tab');
    await isIn(anna, at, 'mine');
    await expect(anna.locator('edit-lock[state=mine]')).toHaveCount(1);
    expect(await boxes()).toEqual(before);
  }
  await anna.keyboard.press('End');
  await anna.keyboard.type(' And by post.');
  await anna.keyboard.press('Control+s');
  await expect(anna.locator('#saved')).toHaveText('Saved as version 2');
  await expect(field(anna, 'Notes')).toHaveValue(/And by post\.$/);
});

test('who holds the whole keeps all sections from others, and is kept from it by each', async ({ open, arrive, server, api }) => {
  const anna = await open('Anna');
  const boris = await arrive('Boris');
  await boris.goto(new URL('/demo/documents/agreement-7?whole', server.url).href);
  await expect(boris.locator('edit-lock')).toHaveAttribute('state', 'mine');
  for (const name of ['parties', 'notes']) await expect(headline(anna, name)).toHaveText(/^Boris has been working on the whole document since/);
  await field(boris, 'Notes').fill('by Boris');
  await click(boris, 'Save');
  await expect(boris.locator('#saved')).toHaveText('Saved as version 2');
  await boris.getByRole('link', { name: 'Close' }).click();
  await field(anna, 'Notes').click();
  await isIn(anna, 'notes', 'mine');
  await expect(field(anna, 'Notes')).toHaveValue('by Boris');
  await boris.goto(new URL('/demo/documents/agreement-7?whole', server.url).href);
  await expect(boris.locator('#headline')).toHaveText(/^Anna has been working on a part of this, “notes”, since/);
  expect((await api('/v1/mutexes?group=demo')).mutexes.map((m) => `${m.mutex.id}#${m.mutex.part}`)).toEqual(['7#notes']);
});

test('a section that was taken over saves nothing, and one that an import changed says so where it is', async ({ open }) => {
  const anna = await open('Anna'), boris = await open('Boris');
  await field(anna, 'Terms').click();
  await isIn(anna, 'payment', 'mine');
  await field(anna, 'Terms').fill('Within 14 days');
  await field(anna, 'Notes').click();
  await isIn(anna, 'notes', 'mine');
  await field(anna, 'Notes').fill('of Anna');
  await section(boris, 'payment').getByRole('button', { name: 'Take over…' }).click();
  await say(boris, 'the bank calls', 'Take over');
  await isIn(boris, 'payment', 'mine');
  await expect(headline(anna, 'payment')).toHaveText(/^Boris took this over at/);
  await expect(section(anna, 'payment').locator('#kept')).toContainText('Within 14 days');
  await isIn(anna, 'notes', 'mine');
  await flawless(anna, 'one of the sections is lost');

  await anna.evaluate(() => { document.querySelector('edit-lock[object-part=notes]').version = '0'; }); // as if it had read that before
  await click(anna, 'Save');
  await expect(anna.locator('#saved')).toHaveText('Not saved: the text was changed since you began.');
  await expect(section(anna, 'notes').getByRole('alert')).toContainText('Nothing was saved: this was changed while you edited it');
  await section(anna, 'notes').getByRole('button', { name: 'Show what is stored now' }).click();
  await expect(field(anna, 'Notes')).toHaveValue('Prices are agreed each spring.');
  await expect(section(anna, 'notes').locator('#kept')).toContainText('of Anna');
  await section(anna, 'notes').getByRole('button', { name: 'Put it into the form' }).click();
  await click(anna, 'Save');
  await expect(anna.locator('#saved')).toHaveText('Saved as version 2');
});

test('по-русски, с телефона: разделы соглашения, и страница доступна', async ({ open }) => {
  const ru = { locale: 'ru-RU' };
  const anna = await open('Анна', { ...ru, viewport: { width: 390, height: 844 } }), boris = await open('Борис', ru);
  await boris.getByLabel('Срок', { exact: true }).focus();
  await isIn(boris, 'delivery', 'mine');
  await expect(headline(anna, 'delivery')).toHaveText(/^Борис редактирует с/);
  await section(anna, 'notes').getByRole('button', { name: 'Начать правку' }).press('Enter');
  await isIn(anna, 'notes', 'mine');
  await field(anna, 'Примечания').fill('Без доставки по понедельникам.');
  await flawless(anna, 'разделы');
  expect(await anna.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await click(anna, 'Сохранить');
  await expect(anna.locator('#saved')).toHaveText('Сохранено: версия 2');
  await expect(boris.locator('.card[data-number="7"]')).toContainText('По разделам: вы, Анна');
  await expect(boris.locator('#history')).toContainText('Анна начинает правку · Примечания');
  await flawless(boris, 'разделы, за столом');
});
