// The manual's pictures, taken from the real thing on a table with a past. They
// are rewritten with UPDATE_PICTURES=1 (npm run pictures); otherwise they only
// have to be pictures.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect } from '@playwright/test';
import { row } from './manager.mjs';

const folder = join(import.meta.dirname, '../../../docs/pictures');

const test = base.extend({
  // built is the program that sets the stage.
  built: [async ({}, use) => {
    const at = mkdtempSync(join(tmpdir(), 'editlock-stage-'));
    execFileSync('go', ['build', '-o', join(at, 'stage'), './stage'], { cwd: import.meta.dirname, stdio: 'inherit' });
    await use(join(at, 'stage'));
    rmSync(at, { recursive: true, force: true });
  }, { scope: 'worker' }],

  // stage opens the manager as Anna Petrova and returns her page.
  stage: async ({ built, browser }, use) => {
    const programs = [], contexts = [];
    await use(async (language, name, options) => {
      const program = spawn(built, [language], { stdio: ['ignore', 'pipe', 'inherit'] });
      programs.push(program);
      const url = await new Promise((done) => { createInterface({ input: program.stdout }).once('line', done); });
      const context = await browser.newContext(options);
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(`${url}/ui/me`);
      await page.locator('#name').fill(name);
      await page.locator('#name').press('Enter');
      await expect(row(page, '2417').locator('.queue b')).toHaveText('2');
      return page;
    });
    await Promise.all(contexts.map((c) => c.close()));
    for (const program of programs) program.kill();
  },
});

async function picture(page, name, testInfo) {
  await page.evaluate(() => document.fonts.ready);
  const path = process.env.UPDATE_PICTURES ? join(folder, name) : testInfo.outputPath(name);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  expect(statSync(path).size).toBeGreaterThan(20_000);
}

// Whenever the pictures are taken, it is about four in the afternoon.
const offset = 16 - new Date().getUTCHours();
const zone = offset > 12 ? offset - 24 : offset;
const timezoneId = `Etc/GMT${zone > 0 ? '-' : '+'}${Math.abs(zone)}`; // the sign is POSIX's, the wrong way round

const desk = { viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, timezoneId, locale: 'en-GB' };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, timezoneId, isMobile: true, hasTouch: true, locale: 'en-GB' };

test('by day', async ({ stage }, testInfo) => {
  const page = await stage('en', 'Anna Petrova', desk);
  await page.getByRole('checkbox', { name: 'Select crm/invoice/1101' }).check();
  await picture(page, 'manager-light.png', testInfo);
});

test('by night, one lock', async ({ stage }, testInfo) => {
  const page = await stage('en', 'Anna Petrova', { ...desk, colorScheme: 'dark' });
  await page.getByRole('link', { name: '2417', exact: true }).click();
  await expect(page.locator('#state')).toContainText('May I?');
  await picture(page, 'manager-dark.png', testInfo);
});

test('the history of a group', async ({ stage }, testInfo) => {
  const page = await stage('en', 'Anna Petrova', desk);
  await page.goto(new URL('/ui/history?group=crm', page.url()).href);
  await expect(page.locator('#entries li').first()).toBeVisible();
  await picture(page, 'manager-history.png', testInfo);
});

test('a person', async ({ stage }, testInfo) => {
  const page = await stage('en', 'Anna Petrova', desk);
  await page.goto(new URL('/ui/person?who=u:kim', page.url()).href);
  await expect(page.locator('#timeline .bar').first()).toBeVisible();
  await picture(page, 'manager-person.png', testInfo);
});

test('the tree', async ({ stage }, testInfo) => {
  const page = await stage('en', 'Anna Petrova', desk);
  await page.getByRole('link', { name: 'Tree', exact: true }).click();
  const fold = (name) => page.locator('a.fold', { hasText: name });
  for (const name of ['crm', 'agreement', 'parts: 2', 'contract', 'order']) {
    await fold(name).click();
    await expect(fold(name)).toHaveAttribute('aria-expanded', 'true');
  }
  await expect(page.locator('.branch', { hasText: '#payment' })).toContainText('Oleg Kim');
  await picture(page, 'manager-tree.png', testInfo);
});

test('on a phone', async ({ stage }, testInfo) => {
  await picture(await stage('en', 'Anna Petrova', phone), 'manager-phone.png', testInfo);
});

test('по-русски', async ({ stage }, testInfo) => {
  await picture(await stage('ru', 'Анна Петрова', { ...desk, locale: 'ru-RU' }), 'manager-ru.png', testInfo);
});
