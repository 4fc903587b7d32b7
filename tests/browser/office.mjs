// What every test starts from: a real server of its own, and people in
// browsers of their own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect } from '@playwright/test';

export { expect };

export const contract = { group: 'demo', mode: 'contract', id: '2417' };
const contractPath = 'documents/contract-2417';

export const test = base.extend({
  // idle is how long a lock outlives its page; empty: the demo's default.
  idle: ['', { option: true }],

  // config is a file of settings; empty: none.
  config: ['', { option: true }],

  // server is `editlock serve --demo` on an empty database. It can be stopped,
  // and started again at its address.
  server: async ({ idle, config }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'editlock-demo-'));
    const server = { url: '' }, file = join(folder, 'editlock.toml');
    await writeFile(file, config);
    server.start = async () => {
      const listen = server.url ? new URL(server.url).host : '127.0.0.1:0';
      const program = spawn(process.env.EDITLOCK_PROGRAM,
        ['serve', '--demo', '--config', file, '--store', `sqlite:${join(folder, 'locks.db')}`, '--listen', listen],
        { env: { ...process.env, EDITLOCK_DEMO_IDLE: idle }, stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = new Promise((done) => program.once('exit', done));
      server.url = await Promise.race([address(program), ended.then((code) => { throw new Error(`the server ended with ${code}`); })]);
      server.stop = async () => {
        program.kill('SIGTERM');
        const timer = setTimeout(() => program.kill('SIGKILL'), 5000);
        await ended;
        clearTimeout(timer);
      };
    };
    await server.start();
    server.office = new URL('/demo/', server.url).href;
    server.contract = new URL(`/demo/${contractPath}`, server.url).href;
    await use(server);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  },

  // api calls the server as any program would, and returns the answer.
  api: async ({ server, request }, use) => {
    await use(async (path, body) => {
      const r = body ? await request.post(new URL(path, server.url).href, { data: body }) : await request.get(new URL(path, server.url).href);
      return r.json();
    });
  },

  // arrive opens a browser of one's own, gives a name, and returns the page.
  arrive: async ({ browser, server }, use) => {
    const contexts = [], wrongs = [];
    await use(async (name, options = {}) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      context.on('page', (page) => watchOver(page, name, wrongs));
      const page = await context.newPage();
      await page.goto(server.office);
      await page.locator('#name').fill(name);
      await page.locator('#name').press('Enter');
      await expect(page.locator('.who-name')).toHaveText(name);
      await page.waitForLoadState(); // Firefox confuses a load with the one after it
      return page;
    });
    await Promise.all(contexts.map((c) => c.close()));
    expect(wrongs).toEqual([]);
  },

  // edit arrives and opens the contract, to edit it.
  edit: async ({ arrive, server }, use) => {
    await use(async (name, options) => {
      const page = await arrive(name, options);
      await page.goto(server.contract);
      await expect(state(page)).toHaveAttribute('state', 'mine');
      return page;
    });
  },

  // knock arrives and opens the contract while another holds it.
  knock: async ({ arrive, server }, use) => {
    await use(async (name, options) => {
      const page = await arrive(name, options);
      await page.goto(server.contract);
      await expect(state(page)).toHaveAttribute('state', 'other');
      return page;
    });
  },
});

// address is what the server prints, once it listens.
export async function address(program) {
  let said = '';
  for (const stream of [program.stdout, program.stderr]) {
    createInterface({ input: stream }).on('line', (line) => { said += `${line}\n`; program.emit('said'); });
  }
  for (;;) {
    const found = /http:\/\/[\d.:]+\//.exec(said);
    if (found) return found[0];
    await new Promise((done) => program.once('said', done));
  }
}

// watchOver collects what no page may do: throw, or trip over its own content
// security policy.
export function watchOver(page, name, wrongs) {
  page.on('pageerror', (e) => wrongs.push(`${name}: ${e.stack}`));
  page.on('dialog', (d) => {
    if (d.type() === 'beforeunload') return d.accept(); // unsaved text was lost to another
    wrongs.push(`${name}: a script opened "${d.message()}"`);
    return d.dismiss();
  });
  page.on('console', (m) => /security policy|trusted/i.test(m.text()) && wrongs.push(`${name}: ${m.text()}`));
}

// What a person sees and can do on a page.
export const state = (page) => page.locator('edit-lock');
export const headline = (page) => page.locator('#headline');
export const detail = (page) => page.locator('#detail');
export const notes = (page) => page.getByRole('textbox', { name: 'Notes' });
export const amount = (page) => page.getByRole('textbox', { name: 'Amount' });
export const card = (page) => page.locator('.card', { hasText: 'Contract 2417' });
export const click = (page, name) => page.getByRole('button', { name, exact: true }).click();

export const isIn = (page, name) => expect(state(page)).toHaveAttribute('state', name);

// say answers the page's dialog.
export async function say(page, words, button) {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(words);
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await expect(dialog).toBeHidden();
}

export const stored = (page) => page.evaluate(async () => (await fetch('/demo/api/documents/contract-2417')).json());
