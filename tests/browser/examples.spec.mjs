// The examples, each started by its one command: the pages hold a lock, save,
// and lose it to another; the jobs take turns.

import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test as base } from '@playwright/test';
import { address } from './office.mjs';
import { expect, isIn, kept, lock, text } from './complaints/site.mjs';

const examples = join(import.meta.dirname, '../../examples');

// Setting up fetches packages, and compiles.
const patience = 300_000;

const test = base.extend({
  // start runs an example, and returns the first address that it tells.
  start: async ({}, use) => { // eslint-disable-line no-empty-pattern
    const programs = [];
    await use(async (name, environment = { LISTEN: '127.0.0.1:0' }) => {
      const program = spawn(join(examples, name, 'run'), { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = new Promise((done) => program.once('exit', done));
      programs.push({ program, ended });
      return Promise.race([address(program), ended.then((status) => { throw new Error(`${name} ended with ${status}`); })]);
    });
    for (const { program, ended } of programs) {
      program.kill();
      await ended;
    }
  },
});
test.setTimeout(patience);

// free is an address that nobody listens on.
const free = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(`127.0.0.1:${port}`));
  });
});

async function takeOver(page, reason) {
  await page.getByRole('button', { name: 'Take over…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(reason);
  await dialog.getByRole('button', { name: 'Take over' }).click();
  await isIn(page, 'mine');
}

async function works(browser, address, another) {
  const page = await browser.newPage();
  await page.goto(address);
  await isIn(page, 'mine');
  await text(page).fill('edited here');
  await page.getByRole('button', { name: 'Save' }).click();
  await isIn(page, 'mine');
  await page.reload();
  await expect(text(page)).toHaveValue('edited here');
  await isIn(page, 'mine');
  await expect(kept(page)).toBeHidden();
  await text(page).fill('not yet saved');

  const other = await browser.newPage(); // of another profile, so another person
  await other.goto(another);
  await isIn(other, 'other');
  await expect(text(other)).not.toBeEditable();
  await takeOver(other, 'urgent');
  await expect(text(other)).toHaveValue('edited here');
  await isIn(page, 'lost');
  await expect(text(page)).not.toBeEditable();
  await expect(text(page)).toHaveValue('edited here');
  await expect(kept(page)).toContainText('not yet saved');

  await takeOver(page, 'back again');
  await page.getByRole('button', { name: 'Put it into the form' }).click();
  await expect(text(page)).toHaveValue('not yet saved');
  await page.getByRole('button', { name: 'Save' }).click();
  await isIn(page, 'mine');
  await page.reload();
  await expect(text(page)).toHaveValue('not yet saved');
  await page.close();
  await other.close();
}

for (const name of ['plain-html', 'react', 'vue', 'server-rendered']) {
  test(`${name}: two people edit one note`, async ({ browser, start }) => {
    const url = await start(name);
    await works(browser, url, `${url}?reader=Bob`);
  });
}

test('notes: a save without the token in force is refused', async ({ start, request }) => {
  const note = new URL('/api/notes/plain', await start('plain-html')).href;
  const save = (headers) => request.put(note, { data: { text: 'overwritten' }, headers });
  expect((await save({})).status()).toBe(428);
  expect((await save({ 'Editlock-Token': '1' })).status()).toBe(409);
  expect(await (await request.get(note)).json()).toEqual({ text: 'as it was', version: '0' });
});

for (const [name, note] of [['plain-html', 'plain'], ['react', 'react'], ['vue', 'vue']]) {
  test(`${name}: what an import wrote is not overwritten`, async ({ browser, start, request }) => {
    const url = await start(name);
    const page = await browser.newPage();
    await page.goto(url);
    await isIn(page, 'mine');
    await text(page).fill('edited once');
    await page.getByRole('button', { name: 'Save' }).click();
    const stored = async () => (await request.get(new URL(`/api/notes/${note}`, url).href)).json();
    await expect.poll(stored).toEqual({ text: 'edited once', version: '1' });
    await text(page).fill('edited here');
    expect((await request.post(new URL(`/api/import/${note}`, url).href, { form: { text: 'imported' } })).status()).toBe(204);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(lock(page).getByRole('alert')).toContainText('Nothing was saved');
    if (note !== 'plain') await expect(page.getByText('Version 2 is stored; this was made of version 1.')).toBeVisible();
    await expect(text(page)).toHaveValue('edited here');
    expect(await stored()).toEqual({ text: 'imported', version: '2' });
    await page.getByRole('button', { name: 'Show what is stored now' }).click();
    await expect(text(page)).toHaveValue('imported');
    await expect(page.getByText('this was made of version')).toHaveCount(0);
    await expect(kept(page)).toContainText('edited here');
    await page.getByRole('button', { name: 'Put it into the form' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(stored).toEqual({ text: 'edited here', version: '3' });
    await page.close();
  });
}

test('server-rendered: what an import wrote is not overwritten', async ({ browser, start, request }) => {
  const url = await start('server-rendered');
  const page = await browser.newPage();
  await page.goto(url);
  await isIn(page, 'mine');
  await text(page).fill('edited here');
  expect((await request.post(new URL('/import', url).href, { form: { text: 'imported' } })).status()).toBe(204);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('main > [role=alert]')).toContainText('Not saved: the record changed: it is at version "1", and "0" was seen');
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('imported');
  await expect(kept(page)).toContainText('edited here');
  await page.getByRole('button', { name: 'Put it into the form' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('main > [role=alert]')).toHaveCount(0);
  await isIn(page, 'mine');
  await page.reload();
  await expect(text(page)).toHaveValue('edited here');
  await page.close();
});

test('server-rendered: a save without the token in force is refused', async ({ start, request }) => {
  const url = await start('server-rendered');
  const stale = await request.post(url, { form: { text: 'overwritten', token: '1', editlock_version: '0' }, headers: { 'Sec-Fetch-Site': 'same-origin' } });
  expect(stale.status()).toBe(409);
  const refused = await stale.text();
  expect(refused).toContain('as it was');
  expect(refused).not.toContain('version &#34;'); // it is the token
});

test('django: two people edit one invoice in the admin', async ({ browser, start }) => {
  const url = await start('django', { LISTEN: await free(), LOCKS: await free() });
  const open = async (login) => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(new URL('/admin/shop/invoice/1/change/', url).href);
    for (const field of ['username', 'password']) await page.locator(`[name=${field}]`).fill(login);
    await page.getByRole('button', { name: 'Log in' }).click();
    return page;
  };
  const ivan = await open('ivan');
  await isIn(ivan, 'mine');
  const olga = await open('olga');
  await isIn(olga, 'other');
  await expect(lock(olga)).toContainText('Ivan Ivanov has been editing this');
  await expect(olga.locator('#id_text')).not.toBeEditable();
  await ivan.locator('#id_text').fill('edited by ivan');
  await ivan.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(ivan.locator('.success')).toContainText('was changed successfully');
  await olga.getByRole('button', { name: 'Start editing' }).click();
  await isIn(olga, 'mine');
  await expect(olga.locator('#id_text')).toHaveValue('edited by ivan');
  for (const page of [ivan, olga]) await page.context().close();
});

test('jobs: one runs at a time', async () => {
  const { stdout } = await promisify(execFile)(join(examples, 'jobs', 'run'), { timeout: patience });
  const ledger = stdout.split('What the jobs wrote:\n')[1].trim().split('\n');
  // On a slow machine the second report may find the first one done.
  const report = ['report begins', 'report ends'], job = [/^import begins, token \d+$/, /^import ends, token \d+$/];
  expect(ledger).toHaveLength(ledger.length > 4 ? 6 : 4);
  expect(ledger.slice(0, 2)).toEqual(report);
  if (ledger.length > 4) expect(ledger.slice(2, 4)).toEqual(report);
  else expect(stdout).toContain('host 2: not run, exit status 3');
  job.forEach((line, i) => expect(ledger.at(i - 2)).toMatch(line));
});
