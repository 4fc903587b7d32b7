// <edit-lock> in a page of another site than the server's.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { address, expect, headline, isIn } from './office.mjs';
import { test as base } from '@playwright/test';

const test = base.extend({
  // run starts a server with settings, and ends the one before it.
  run: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'editlock-origins-')), file = join(folder, 'editlock.toml');
    let program, log = '', listen = '127.0.0.1:0';
    const stop = async () => {
      if (!program) return;
      const ended = new Promise((done) => program.once('exit', done));
      program.kill('SIGTERM');
      await ended;
    };
    await use(async (settings) => {
      await stop();
      await writeFile(file, settings);
      program = spawn(process.env.EDITLOCK_PROGRAM,
        ['serve', '--config', file, '--store', `sqlite:${join(folder, 'locks.db')}`, '--listen', listen], { stdio: ['ignore', 'pipe', 'pipe'] });
      program.stderr.on('data', (data) => { log += data; });
      const url = await address(program);
      listen = new URL(url).host;
      return { url, log: () => log };
    });
    await stop();
    await rm(folder, { recursive: true, force: true });
  },

  // shop is a site of its own, whose page uses a lock server elsewhere.
  shop: async ({}, use) => {
    const site = { page: '' };
    const http = createServer((_, res) => res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(site.page));
    await new Promise((done) => http.listen(0, '127.0.0.1', done));
    site.url = `http://localhost:${http.address().port}`;
    await use(site);
    http.closeAllConnections();
    await new Promise((done) => http.close(done));
  },
});

const page = (server, script) => `<!doctype html><html lang="en"><head><title>Shop</title>${script}</head><body><main><h1>Shop</h1>
  <edit-lock server="${server}" group="shop" object="1" name="Ivanov"><form inert><textarea name="text" aria-label="Text"></textarea></form></edit-lock></main></body></html>`;

test('a page of another site says what the server must be told, and works once it is', async ({ run, shop, browser }) => {
  const { readFileSync } = await import('node:fs');
  const dist = (name) => readFileSync(join(import.meta.dirname, '../../client/js/dist', name), 'utf8');
  const before = await run('');
  const tab = await browser.newPage();
  await tab.route('**/own/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: dist(route.request().url().split('/').at(-1)) }));
  shop.page = page(before.url, '<script type="module" src="/own/element.js"></script>');
  await tab.goto(shop.url);
  await expect(headline(tab)).toContainText(`does not let pages of ${shop.url} call it`);
  await expect(headline(tab)).toContainText(`[http] origins = ["${shop.url}"]`);
  await expect.poll(() => before.log()).toContain(shop.url);

  const after = await run(`[http]\norigins = ["${shop.url}"]\n`);
  await isIn(tab, 'mine', { timeout: 60_000 });

  // The server's own copy of the element serves such pages, too.
  const another = await browser.newPage();
  shop.page = page(after.url, `<script type="module" src="${after.url}editlock/element.js"></script>`);
  await another.goto(shop.url);
  await expect(another.locator('edit-lock')).toHaveAttribute('state', /self|other/);
  await tab.close();
  await another.close();
});
