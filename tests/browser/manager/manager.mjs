// What every test of the lock manager starts from: a real server of its own,
// programs that hold locks there, and readers in browsers of their own.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect } from '@playwright/test';

export { expect };

export const test = base.extend({
  // store is the server's: "sqlite" in a folder of its own, or "memory".
  store: ['memory', { option: true }],

  server: async ({ store }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'editlock-manager-'));
    const at = store === 'memory' ? 'memory:' : `sqlite:${join(folder, 'locks.db')}`;
    const server = { port: 0 };
    server.start = async () => Object.assign(server, await start(at, server.port));
    await server.start();
    await use(server);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  },

  // api calls the server as any program would, and returns the answer.
  api: async ({ server }, use) => {
    const gone = new AbortController();
    await use(async (path, body) => {
      const r = await fetch(server.url + path, body && {
        method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, signal: gone.signal,
      });
      return r.json();
    });
    gone.abort();
  },

  // hold captures a mutex for somebody, from their program.
  hold: async ({ api }, use) => {
    await use(async (name, id, more = {}) => {
      const { mutex } = await api('/v1/capture', { mutex: parse(id), owner: owner(name), ...more });
      expect(mutex, `${name} holds ${id}`).toBeTruthy();
      return mutex;
    });
  },

  // await_ lets somebody's program wait for a mutex.
  await_: async ({ api }, use) => {
    await use(async (name, id, message) => {
      api('/v1/capture', { mutex: parse(id), owner: owner(name), wait: '300s', message }).catch(() => {});
      await expect.poll(async () => (await api('/v1/request', { mutex: parse(id) })).mutex?.waiters.some((w) => w.owner.name === name)).toBe(true);
    });
  },

  // read opens the manager in a browser of its own, as somebody if a name is
  // given.
  read: async ({ browser, server }, use) => {
    const contexts = [], wrongs = [];
    await use(async (name, options = {}) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      context.on('page', (page) => watchOver(page, wrongs));
      const page = await context.newPage();
      if (name) {
        await page.goto(`${server.url}/ui/me`);
        await page.locator('#name').fill(name);
        await page.locator('#name').press('Enter');
        await expect(page.locator('.me')).toContainText(name);
      } else await page.goto(server.url);
      return page;
    });
    await Promise.all(contexts.map((c) => c.close()));
    expect(wrongs).toEqual([]);
  },
});

function start(store, port) {
  return new Promise((done, fail) => {
    const program = spawn(process.env.EDITLOCK_PROGRAM, ['serve', '--store', store, '--listen', `127.0.0.1:${port}`],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((over) => program.once('exit', over));
    ended.then((code) => fail(new Error(`the server ended with ${code}`)));
    const stop = async () => {
      program.kill('SIGTERM');
      const timer = setTimeout(() => program.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    };
    for (const stream of [program.stdout, program.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        const found = /http:\/\/[\d.]+:(\d+)/.exec(line);
        if (found) done({ url: found[0], port: Number(found[1]), stop });
      });
    }
  });
}

// watchOver collects what no page may do: throw, open dialogs, trip over its
// own content security policy, or call another host.
function watchOver(page, wrongs) {
  page.on('pageerror', (e) => wrongs.push(e.stack));
  page.on('dialog', (d) => { wrongs.push(`a script opened "${d.message()}"`); d.dismiss(); });
  page.on('console', (m) => /security policy|trusted/i.test(m.text()) && !m.text().includes('inline style') && wrongs.push(m.text()));
  page.on('request', (r) => /^http:\/\/127\.0\.0\.1:/.test(r.url()) || wrongs.push(`it calls ${r.url()}`));
}

export const owner = (name) => {
  const user = name.toLowerCase();
  return { session: `tab-${user}`, user_id: user, login: user, name, host: `desk-${user}` };
};

export function parse(id) {
  const [path, part = ''] = id.split('#');
  const [group, mode, name] = path.split('/');
  return path.endsWith('/') ? { group, mode, below: true } : { group, mode, id: name, part };
}

// What a reader sees.
export const row = (page, id) => page.getByRole('row').filter({ has: page.getByRole('link', { name: id, exact: true }) });
// rows are those of the list, not of a timeline's table.
export const rows = (page) => page.locator('tbody[role=rowgroup] tr');
export const count = (page, what) => page.locator('#counts div').filter({ hasText: what }).locator('dd');
