// <edit-lock> where its readers have the rights that docs/security.md
// recommends, read and use, and not a right more.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { address } from './office.mjs';
import { expect, isIn, kept, lock, mutex, test as base, text, tokenOf } from './complaints/site.mjs';

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };

const test = base.extend({
  rights: ['read,use', { option: true }],

  // server has a key with the rights, which the site sends with each call.
  server: async ({ rights }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'editlock-rights-')), keys = join(folder, 'keys.json');
    const key = execFileSync(process.env.EDITLOCK_PROGRAM,
      ['keys', 'create', 'site', '--keys', keys, '--right', rights, '--as-user', '*', '--as-session', '*', '--mode', '*', '--group', '*']).toString();
    const program = spawn(process.env.EDITLOCK_PROGRAM,
      ['serve', '--keys', keys, '--store', `sqlite:${join(folder, 'locks.db')}`, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((done) => program.once('exit', done));
    await use({ url: await address(program), key: /elk_[a-z0-9]+_[0-9a-f]{64}/.exec(key)?.[0] });
    program.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  },

  site: async ({ site, server }, use) => {
    site.credential = { authorization: `Bearer ${server.key}` };
    await use(site);
  },
});

const refused = (site, path) => site.calls.filter((c) => c.status === 403 && (!path || c.path === path)).length;

test('a page can be edited, and what is forbidden is asked for once', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await expect(text(page)).toBeEditable();
  expect(Number(await tokenOf(page))).toBe((await site.holder('1')).token);
  const asked = site.calls.length;
  await page.evaluate(() => document.querySelector('edit-lock').refresh());
  await page.waitForTimeout(3000); // what is asked again and again would be by then
  expect(refused(site)).toBe(1);
  expect(site.calls.length - asked).toBeLessThanOrEqual(3);
});

test('a lock that merely expired is taken up again, without the history', async ({ site, visit }) => {
  const page = await visit({ ...ivanov, idle: '2s', 'inactive-after': 'never' });
  await isIn(page, 'mine');
  await text(page).fill('half a sentence');
  site.fault = ({ path }) => path === '/v1/refresh' ? { status: 503 } : null;
  await expect.poll(() => site.holder('1')).toBe(null);
  site.fault = () => null;
  await isIn(page, 'mine', { timeout: 60_000 });
  await expect(lock(page).locator('#detail')).toContainText('Nobody changed the document');
  await expect(text(page)).toHaveValue('half a sentence');
  await expect(text(page)).toBeEditable();
});

for (const rights of ['read,use', 'use']) {
  test.describe(`with the rights ${rights}`, () => {
    test.use({ rights });
    test('a lock that somebody else held meanwhile is lost, and the text is kept', async ({ site, visit }) => {
      const page = await visit({ ...ivanov, idle: '2s', 'inactive-after': 'never' });
      await isIn(page, 'mine');
      await text(page).fill('half a sentence');
      site.fault = ({ path }) => path === '/v1/refresh' ? { status: 503 } : null;
      await expect.poll(() => site.holder('1')).toBe(null);
      const owner = { session: 'petrova', name: 'Petrova' };
      await site.editlock('/v1/capture', { mutex: mutex('1'), owner });
      await site.editlock('/v1/release', { mutex: mutex('1'), owner });
      site.fault = () => null;
      await isIn(page, 'lost', { timeout: 60_000 });
      await expect(text(page)).not.toBeEditable();
      await expect(kept(page)).toContainText('half a sentence');
    });
  });
}

test.describe('without the right to look', () => {
  test.use({ rights: 'history' });
  test('nobody is asked again and again', async ({ site, visit }) => {
    const page = await visit({ ...ivanov, manual: '' });
    await expect.poll(() => refused(site, '/v1/request')).toBe(1);
    await page.evaluate(() => Promise.all([1, 2, 3].map(() => document.querySelector('edit-lock').lock.look())));
    expect(refused(site, '/v1/request')).toBe(1);
  });
});

test('who may not take over is told so, and offered it no more', async ({ site, visit }) => {
  await site.editlock('/v1/capture', { mutex: mutex('1'), owner: { session: 'petrova', name: 'Petrova' } });
  const page = await visit(ivanov);
  await isIn(page, 'other');
  await page.getByRole('button', { name: 'Take over…' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('urgent');
  await page.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
  await expect(lock(page).locator('#detail')).toContainText('You may not take over');
  await expect(page.getByRole('button', { name: 'Take over…' })).toBeHidden();
  await expect(page.getByRole('button', { name: 'Wait in the queue' })).toBeVisible();
  expect(refused(site, '/v1/takeover')).toBe(1);
});
