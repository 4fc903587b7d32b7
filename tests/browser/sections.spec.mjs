// A form of several sections, each a part of one record with a lock of its own.

import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { flawless } from './axe.mjs';
import { address, expect, watchOver } from './office.mjs';

const test = base.extend({
  // contract is the address of the example.
  contract: async ({}, use) => { // eslint-disable-line no-empty-pattern
    const program = spawn(join(import.meta.dirname, '../../examples/sections/run'), { env: { ...process.env, LISTEN: '127.0.0.1:0' }, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((done) => program.once('exit', done));
    await use(await Promise.race([address(program), ended.then((status) => { throw new Error(`it ended with ${status}`); })]));
    program.kill();
    await ended;
  },

  // open is the form in a browser of one's own.
  open: async ({ browser, contract }, use) => {
    const contexts = [], wrongs = [];
    await use(async (reader, lang = 'en') => {
      const context = await browser.newContext();
      contexts.push(context);
      const page = await context.newPage();
      watchOver(page, reader, wrongs);
      if (lang !== 'en') {
        await page.route((url) => url.pathname === '/', async (route) => {
          const answer = await route.fetch();
          await route.fulfill({ response: answer, body: (await answer.text()).replace('lang="en"', `lang="${lang}"`) });
        });
      }
      await page.goto(`${contract}?reader=${encodeURIComponent(reader)}`);
      await expect(page.locator('edit-lock[state]')).toHaveCount(5);
      return page;
    });
    for (const context of contexts) {
      for (const page of context.pages()) await page.unrouteAll({ behavior: 'ignoreErrors' }); // a section may be reading
      await context.close();
    }
    expect(wrongs).toEqual([]);
  },
});

const section = (page, name) => page.locator(`edit-lock[object-part=${name}]`);
const isIn = (page, name, state) => expect(section(page, name)).toHaveAttribute('state', state);
const field = (page, name) => page.getByRole('textbox', { name, exact: true });
const headline = (page, name) => section(page, name).locator('#headline');
const tokens = (page) => page.locator('input[name=tokens]').inputValue();
const held = async (page) => (await (await page.request.get(new URL('/v1/mutexes', page.url()).href)).json())
  .mutexes.map((m) => `${m.mutex.part} ${m.owner.name}`).sort();

test('two people edit two sections, and each section says by itself who is in the way', async ({ open }) => {
  const ann = await open('Ann'), bob = await open('Bob');
  for (const page of [ann, bob]) for (const name of ['parties', 'subject', 'address', 'payment', 'notes']) await isIn(page, name, 'free');
  expect(await held(ann)).toEqual([]);

  await field(ann, 'Street').click();
  await isIn(ann, 'address', 'mine');
  await field(bob, 'Amount').click();
  await isIn(bob, 'payment', 'mine');
  await expect(headline(bob, 'address')).toHaveText(/^Ann has been editing this since/);
  await expect(headline(ann, 'payment')).toHaveText(/^Bob has been editing this since/);
  await expect(headline(ann, 'notes')).toHaveText('Nobody is editing this now');
  expect(await held(ann)).toEqual(['address Ann', 'payment Bob']);
  await expect(field(bob, 'Street')).not.toBeEditable();

  await field(ann, 'Street').fill('7 Quay Street');
  await field(bob, 'Amount').fill('50 000');
  await ann.getByRole('button', { name: 'Save' }).click();
  await expect(field(ann, 'Street')).toHaveValue('7 Quay Street');
  await bob.getByRole('button', { name: 'Save' }).click();
  await expect(field(bob, 'Amount')).toHaveValue('50 000');
  await expect(field(bob, 'Street')).toHaveValue('7 Quay Street');
});

test('going from section to section takes one and frees the other, by keyboard and without flicker', async ({ open }) => {
  const ann = await open('Ann');
  await ann.evaluate(() => {
    window.seen = [];
    for (const e of document.querySelectorAll('edit-lock')) {
      e.addEventListener('editlock-change', () => {
        const holds = [...document.querySelectorAll('edit-lock')].filter((x) => x.lock?.token).map((x) => x.getAttribute('object-part'));
        if (window.seen.at(-1) !== holds.join()) window.seen.push(holds.join());
      });
      new MutationObserver(() => window.says.push(e.shadowRoot.getElementById('headline').textContent))
        .observe(e.shadowRoot.getElementById('headline'), { childList: true, subtree: true, characterData: true });
    }
    window.says = [];
  });
  await field(ann, 'Scope').focus();
  await isIn(ann, 'subject', 'mine');
  const top = await field(ann, 'Street').boundingBox();
  while (await ann.evaluate(() => document.activeElement?.name !== 'street')) await ann.keyboard.press('Tab');
  await isIn(ann, 'address', 'mine');
  await isIn(ann, 'subject', 'free');
  expect(await held(ann)).toEqual(['address Ann']);
  expect(await field(ann, 'Street').boundingBox()).toEqual(top); // nothing has moved
  await ann.keyboard.type('!');
  await expect(field(ann, 'Street')).toHaveValue(/!/);
  // Between the two there was no moment without a section.
  expect((await ann.evaluate(() => window.seen)).slice(1)).not.toContain('');
  const { entries } = await (await ann.request.get(new URL('/v1/history?group=crm&mode=contract', ann.url()).href)).json();
  expect(entries.reverse().map((e) => `${e.kind} ${e.mutex.part}`)).toEqual(['captured subject', 'captured address', 'released subject']);
  for (const text of await ann.evaluate(() => window.says)) expect(text).toMatch(/^(Nobody is editing this now|You have been editing this since.*)$/);
});

test('what is not saved keeps its section, and one save carries the token of each that changed', { tag: '@firefox' }, async ({ open }) => {
  const ann = await open('Ann'), bob = await open('Bob');
  await field(ann, 'Customer').click();
  await isIn(ann, 'parties', 'mine');
  await field(ann, 'Customer').fill('Harbour & Co');
  await field(ann, 'Terms').click();
  await isIn(ann, 'payment', 'mine');
  await isIn(ann, 'parties', 'mine');
  await field(ann, 'Terms').fill('Within 14 days');
  await field(ann, 'Title').click(); // is looked at only
  await isIn(ann, 'subject', 'mine');
  expect(await tokens(ann)).toMatch(/^parties=\d+,payment=\d+$/);
  await expect.poll(() => held(ann)).toEqual(['parties Ann', 'payment Ann', 'subject Ann']);

  await test.step('if one of them is lost, nothing is stored, and all that was typed is kept', async () => {
    const lost = await tokens(ann);
    await section(bob, 'payment').getByRole('button', { name: 'Take over…' }).click();
    await section(bob, 'payment').getByRole('dialog').getByRole('textbox').fill('the bank calls');
    await section(bob, 'payment').getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
    await isIn(bob, 'payment', 'mine');
    await expect(headline(ann, 'payment')).toHaveText(/^Bob took this over at/);
    await expect(section(ann, 'payment').locator('#kept')).toContainText('Within 14 days');
    await isIn(ann, 'parties', 'mine');
    const stale = await ann.request.post(ann.url(), { form: { customer: 'stale', terms: 'stale', tokens: lost }, headers: { 'Sec-Fetch-Site': 'same-origin' } });
    expect(stale.status()).toBe(409);
    expect(await stale.text()).not.toContain('stale');
  });

  expect(await tokens(ann)).toMatch(/^parties=\d+$/);
  await ann.getByRole('button', { name: 'Save' }).click();
  await expect(field(ann, 'Customer')).toHaveValue('Harbour & Co');
  await expect(field(ann, 'Terms')).toHaveValue('Within 30 days');
});

test('a section shows the newest text when the reader comes to it, and others keep theirs', async ({ open }) => {
  const ann = await open('Ann'), bob = await open('Bob');
  await field(ann, 'Customer').click();
  await isIn(ann, 'parties', 'mine');
  await field(ann, 'Customer').fill('not saved');
  await field(bob, 'Street').click();
  await isIn(bob, 'address', 'mine');
  await field(bob, 'Street').fill('9 Quay Street');
  await bob.getByRole('button', { name: 'Save' }).click();
  await isIn(ann, 'address', 'free');
  await field(ann, 'Street').click();
  await isIn(ann, 'address', 'mine');
  await expect(field(ann, 'Street')).toHaveValue('9 Quay Street');
  await expect(field(ann, 'Customer')).toHaveValue('not saved');
});

test('who holds the whole is named at each section', async ({ open, contract }) => {
  const ann = await open('Ann');
  await ann.request.post(new URL('/v1/capture', contract).href, { data: { mutex: { group: 'crm', mode: 'contract', id: '7' }, owner: { session: 'c', name: 'Carl' } } });
  for (const name of ['parties', 'notes']) await expect(headline(ann, name)).toHaveText(/^Carl has been working on the whole document since/);
  await field(ann, 'Notes').click();
  await expect(field(ann, 'Notes')).not.toBeEditable();
  await flawless(ann, 'all sections are in the way');
});

test('по-русски, с клавиатуры, и страница доступна', async ({ open }) => {
  const ann = await open('Анна', 'ru'), bob = await open('Борис', 'ru');
  await field(bob, 'Due').focus();
  await isIn(bob, 'address', 'mine');
  await expect(headline(ann, 'address')).toHaveText(/^Борис редактирует с/);
  await section(ann, 'notes').getByRole('button', { name: 'Начать правку' }).press('Enter');
  await isIn(ann, 'notes', 'mine');
  await expect(headline(ann, 'notes')).toHaveText(/^Вы редактируете с/);
  await flawless(ann, 'sections');
  await ann.getByRole('textbox', { name: 'Notes' }).fill('Две поставки.');
  await ann.getByRole('textbox', { name: 'Notes' }).press('Tab');
  await ann.keyboard.press('Enter'); // the button Save
  await expect(ann.getByRole('textbox', { name: 'Notes' })).toHaveValue('Две поставки.');
  await isIn(ann, 'notes', 'free');
});

test('the picture of the docs', async ({ open }, testInfo) => {
  const ann = await open('Ann'), bob = await open('Bob');
  await ann.setViewportSize({ width: 800, height: 1180 });
  await field(bob, 'Street').click();
  await isIn(bob, 'address', 'mine');
  await field(ann, 'Amount').click();
  await isIn(ann, 'payment', 'mine');
  await field(ann, 'Amount').fill('50 000');
  await expect(headline(ann, 'address')).toContainText('Bob');
  const name = 'sections.png', path = process.env.UPDATE_PICTURES ? join(import.meta.dirname, '../../docs/pictures', name) : testInfo.outputPath(name);
  await ann.screenshot({ path, animations: 'disabled', caret: 'hide', fullPage: true });
  expect(statSync(path).size).toBeGreaterThan(20_000);
});
