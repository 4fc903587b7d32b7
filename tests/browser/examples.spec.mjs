// The examples, as they stand in examples/: each holds a lock, saves, and
// loses it to another.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { address } from './office.mjs';
import { expect, isIn, kept, lock, test, text } from './complaints/site.mjs';

const root = join(import.meta.dirname, '../..');
const examples = join(root, 'examples');
const file = (name, type) => ({ type, body: readFileSync(join(examples, name)) });

// bundle is an example as its own build would make it.
async function bundle(entry) {
  const { outputFiles: [out] } = await build({
    entryPoints: [join(examples, entry)], bundle: true, write: false, format: 'esm', jsx: 'automatic',
    nodePaths: [join(import.meta.dirname, 'node_modules')],
    alias: { 'editlock/element': join(root, 'clients/js/dist/element.js'), vue: 'vue/dist/vue.esm-bundler.js' },
    define: {
      'process.env.NODE_ENV': '"development"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
  });
  return { type: 'text/javascript', body: out.contents };
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
  await isIn(other, /other|self/);
  await expect(text(other)).not.toBeEditable();
  await other.getByRole('button', { name: /Take over…|Continue here/ }).click();
  const dialog = other.getByRole('dialog');
  if (await dialog.isVisible()) {
    await dialog.getByRole('textbox').fill('urgent');
    await dialog.getByRole('button', { name: 'Take over' }).click();
  }
  await isIn(other, 'mine');
  await expect(text(other)).toHaveValue('edited here');
  await isIn(page, 'lost');
  await expect(text(page)).not.toBeEditable();
  await expect(text(page)).toHaveValue('edited here');
  await expect(kept(page)).toContainText('not yet saved');

  await page.getByRole('button', { name: /Take over…|Continue here/ }).click();
  if (await page.getByRole('dialog').isVisible()) {
    await page.getByRole('dialog').getByRole('textbox').fill('back again');
    await page.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
  }
  await isIn(page, 'mine');
  await page.getByRole('button', { name: 'Put it into the form' }).click();
  await expect(text(page)).toHaveValue('not yet saved');
  await page.getByRole('button', { name: 'Save' }).click();
  await isIn(page, 'mine');
  await page.reload();
  await expect(text(page)).toHaveValue('not yet saved');
  await page.close();
  await other.close();
}

test('plain HTML', async ({ browser, site }) => {
  site.pages.set('/note/', file('plain-html/index.html', 'text/html'));
  site.pages.set('/note/note.js', file('plain-html/note.js', 'text/javascript'));
  await works(browser, `${site.url}/note/`, `${site.url}/note/`);
  expect(site.records.get('plain')).toBe('not yet saved');
});

for (const [name, entry] of [['react', 'react/main.jsx'], ['vue', 'vue/main.js']]) {
  test(name, async ({ browser, site }) => {
    site.pages.set(`/${name}`, { type: 'text/html', body: '<!doctype html><html lang="en"><title>A note</title><div id="app"></div><script type="module" src="/app.js"></script>' });
    site.pages.set('/app.js', await bundle(entry));
    await works(browser, `${site.url}/${name}`, `${site.url}/${name}`);
    expect(site.records.get(name)).toBe('not yet saved');
  });
}

test('rendered by a server, without a script of its own', async ({ browser }, testInfo) => {
  const program = testInfo.outputPath('server-rendered');
  execFileSync('go', ['build', '-o', program, './examples/server-rendered'], { cwd: root });
  const server = spawn(program, { env: { ...process.env, LISTEN: '127.0.0.1:0' }, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const url = await address(server);
    await works(browser, url, `${url}?reader=Bob`);
    const page = await browser.newPage();
    const stale = await page.request.post(url, { form: { text: 'overwritten', token: '1' }, headers: { 'Sec-Fetch-Site': 'same-origin' } });
    expect(stale.status()).toBe(409);
    await page.goto(url);
    await expect(lock(page).getByRole('textbox', { name: 'Text' })).toHaveValue('not yet saved');
    await page.close();
  } finally {
    server.kill();
  }
});
