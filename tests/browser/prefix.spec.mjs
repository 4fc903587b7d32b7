// Everything works below a path that a proxy cuts off, and every page that a
// person can meet is a finished one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { flawless } from './axe.mjs';
import { address, amount, expect, headline, isIn, notes, watchOver } from './office.mjs';
import { provider } from './provider.mjs';
import { nginx } from './proxy.mjs';

const below = '/shop/locks/';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const test = base.extend({
  // serve runs a server behind nginx, and returns where browsers find it. Its
  // configuration may depend on that.
  serve: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'editlock-prefix-')), stops = [];
    await use(async (options, settings = () => '') => {
      const listen = `127.0.0.1:${await freePort()}`;
      const proxy = await nginx(`http://${listen}`, 60, below);
      stops.push(proxy.stop);
      await writeFile(join(folder, 'editlock.toml'), settings(proxy.url));
      const program = spawn(process.env.EDITLOCK_PROGRAM, ['serve', '--config', join(folder, 'editlock.toml'), '--store', 'memory:', '--listen', listen, ...options],
        { stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = once(program, 'exit');
      stops.push(() => program.kill('SIGTERM') && ended);
      await Promise.race([address(program), ended.then(([code]) => { throw new Error(`the server ended with ${code}`); })]);
      return proxy.url;
    });
    for (const stop of stops.reverse()) await stop();
    await rm(folder, { recursive: true, force: true });
  },

  // visit opens a browser of one's own. What it asks this host for must be there,
  // and below the path.
  visit: async ({ browser }, use) => {
    const contexts = [], wrongs = [];
    await use(async (options = {}, missing = () => false) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      context.on('page', (page) => watchOver(page, 'the page', wrongs));
      context.on('response', (r) => {
        const at = new URL(r.url());
        if (missing(at) || at.pathname === '/shop/page' || at.pathname === below.slice(0, -1) && r.status() === 301) return;
        if (r.status() >= 400 && r.status() !== 409 || !at.pathname.startsWith(below)) wrongs.push(`${r.status()} ${r.url()}`);
      });
      return context.newPage();
    });
    await Promise.all(contexts.map((c) => c.close()));
    expect(wrongs.filter((w) => !w.includes('inline style'))).toEqual([]); // Playwright's own
  },
});

const owner = (name) => ({ session: `s-${name}`, user_id: name, name });
const call = async (url, path, body) => (await fetch(url + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })).json();
const accent = (locator) => locator.evaluate((e) => getComputedStyle(e).backgroundColor);

test('the lock manager', async ({ serve, visit }) => {
  const url = await serve(['--demo']);
  for (const id of ['1', '2', '3']) await call(url, 'v1/capture', { mutex: { group: 'crm', id }, owner: owner('Ivanov') });
  const page = await visit();
  await page.goto(url.replace(/\/$/, ''));
  await expect(page).toHaveURL(url);
  expect(await accent(page.locator('.top'))).toBe('rgb(255, 255, 255)');
  await page.getByRole('link', { name: 'Who are you?' }).first().click();
  expect(await accent(page.getByRole('button', { name: 'Cancel' }).or(page.locator('button.primary')).first())).toBe('rgb(13, 92, 70)');
  await page.getByLabel('Your name').fill('Petrova');
  await page.getByLabel('Your name').press('Enter');
  await expect(page).toHaveURL(url);
  await expect(page.locator('.me')).toContainText('Petrova');

  await page.getByRole('searchbox').fill('ivanov'); // filters while one types
  await expect(page).toHaveURL(`${url}?q=ivanov`);
  await call(url, 'v1/capture', { mutex: { group: 'crm', id: '4' }, owner: owner('Ivanov') });
  await expect(page.locator('tbody tr')).toHaveCount(4); // by itself
  await page.getByRole('button', { name: 'Take over crm//1' }).click();
  await page.getByLabel('Reason').fill('urgent');
  await page.getByRole('button', { name: 'Take over', exact: true }).click();
  await expect(page).toHaveURL(`${url}?q=ivanov`);
  await expect(page.locator('.done')).toContainText('Taken over');
  await page.getByRole('checkbox', { name: 'Select crm//2' }).check();
  await page.locator('.bulk-act').first().click();
  await page.getByLabel('Reason').fill('on holiday');
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await expect(page.locator('.done')).toContainText('Released');
  await page.getByRole('link', { name: '3', exact: true }).click();
  await expect(page).toHaveURL(`${url}ui/lock?id=crm%2F%2F3`);
  await page.getByRole('main').getByRole('link', { name: 'Ivanov' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ivanov');
  await page.getByRole('link', { name: 'Русский' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'ru');
  await page.getByRole('link', { name: 'История' }).click();
  await expect(page).toHaveURL(`${url}ui/history`);
  await expect(page.locator('.entries')).toContainText('urgent');
  await page.goto(`${url}docs`);
  await page.getByRole('link', { name: 'openapi.json' }).click();
  await expect(page).toHaveURL(`${url}openapi.json`);
  const { servers } = await (await fetch(`${url}openapi.json`)).json();
  expect(new URL(servers[0].url, `${url}openapi.json`).href).toBe(url);
  await page.goto(url);
  await page.getByRole('link', { name: 'Демо' }).click();
  await expect(page).toHaveURL(`${url}demo/`);
});

test('a link on another site leads there', async ({ serve, visit }) => {
  const url = await serve([]);
  const page = await visit({}, (at) => at.hostname === 'localhost');
  await page.route('http://localhost/site', (route) => route.fulfill({ contentType: 'text/html', body: `<a href="${url}ui/history?x=a%2Fb">history</a>` }));
  await page.goto('http://localhost/site');
  await page.getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'History' })).toBeVisible();
  await expect(page).toHaveURL(`${url}ui/history?x=a%2Fb`);
});

test('the demo, with its event stream', async ({ serve, visit }) => {
  const url = await serve(['--demo']);
  const arrive = async (name) => {
    const page = await visit();
    await page.goto(`${url}demo/documents/contract-2417`);
    await page.getByLabel('Or another name').fill(name);
    await page.getByLabel('Or another name').press('Enter');
    await expect(page).toHaveURL(`${url}demo/documents/contract-2417`);
    return page;
  };
  const ivanov = await arrive('Ivanov');
  await isIn(ivanov, 'mine');
  const petrova = await arrive('Petrova');
  await isIn(petrova, 'other');
  await expect(headline(petrova)).toContainText('Ivanov');
  await notes(ivanov).fill('saved below a path');
  await ivanov.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(ivanov.getByText('Saved as version 2')).toBeVisible();
  await ivanov.getByRole('link', { name: 'Close' }).click();
  await expect(ivanov).toHaveURL(`${url}demo/`);
  await petrova.getByRole('button', { name: 'Start editing' }).click({ timeout: 5000 }); // told by the stream
  await isIn(petrova, 'mine');
  await expect(notes(petrova)).toHaveValue('saved below a path');
  await petrova.getByRole('link', { name: 'Русский' }).click();
  await expect(petrova.locator('html')).toHaveAttribute('lang', 'ru');
  await expect(petrova).toHaveURL(`${url}demo/documents/contract-2417`);
  await petrova.getByRole('link', { name: 'сменить' }).click();
  await expect(petrova.getByRole('heading', { level: 1 })).toBeVisible();
  const cookies = await petrova.context().cookies();
  expect(cookies.map((c) => c.path)).toEqual(cookies.map(() => '/shop/locks/demo'));
});

test('the element on a page of the same host', async ({ serve, visit }) => {
  const url = await serve([]);
  const open = async (name) => {
    const page = await visit();
    await page.route('**/shop/page', (route) => route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><html lang="en"><title>Shop</title><script type="module" src="/shop/locks/editlock/element.js"></script>
        <main><h1>Shop</h1><edit-lock server="/shop/locks" group="shop" object="1" user="${name}" name="${name}"><form inert><input name="amount" aria-label="Amount"></form></edit-lock></main></html>`,
    }));
    await page.goto(new URL('/shop/page', url).href);
    return page;
  };
  const ivanov = await open('Ivanov');
  await isIn(ivanov, 'mine');
  await expect(amount(ivanov)).toBeEditable();
  const petrova = await open('Petrova');
  await isIn(petrova, 'other');
  await petrova.getByRole('button', { name: 'Take over…' }).click();
  const dialog = petrova.getByRole('dialog');
  await dialog.getByRole('textbox').fill('urgent');
  await dialog.getByRole('button', { name: 'Take over', exact: true }).click();
  await isIn(petrova, 'mine');
  await expect(headline(ivanov)).toContainText('Petrova took this over', { timeout: 5000 }); // told by the stream
});

for (const { locale, words } of [
  { locale: 'en-GB', words: { out: 'You are logged out here', again: 'Log in again', leave: 'Log out', failed: 'The login failed', retry: 'Try again', old: 'This login can\'t be completed', missing: 'There is nothing here', home: 'Go to the locks', gone: 'You are not logged in' } },
  { locale: 'ru-RU', words: { out: 'Здесь вы вышли', again: 'Войти снова', leave: 'Выйти', failed: 'Войти не удалось', retry: 'Повторить', old: 'Этот вход нельзя завершить', missing: 'Здесь ничего нет', home: 'К блокировкам', gone: 'Вы не вошли' } },
]) {
  test(`a login, and the pages around it, in ${locale}`, async ({ serve, visit }) => {
    test.slow();
    const login = await provider({ sub: 'olga', name: 'Olga Petrova' });
    try {
      const url = await serve([], (at) => `[login]\nissuer = "${login.url}"\nclient_id = "editlock"\npublic_url = "${at}"\n[[rule]]\neveryone = true\nrights = ["admin"]\ngroup = "*"\nmode = "*"\n`);
      const page = await visit({ locale }, (at) => at.pathname.includes('nope') || at.pathname.endsWith('/auth/callback') || at.origin === login.url || at.pathname.endsWith('/ui/act') || at.pathname.endsWith('/ui/confirm'));
      const heading = (text) => expect(page.getByRole('heading', { level: 1, name: text, exact: true })).toBeVisible();
      const follow = async (name) => { // by the keyboard
        await page.getByRole('link', { name, exact: true }).focus();
        await page.keyboard.press('Enter');
      };

      await page.goto(`${url}ui/history?x=1`);
      await expect(page).toHaveURL(`${url}ui/history?x=1`); // there and back
      await expect(page.locator('.me')).toContainText('Olga Petrova');
      const [cookie] = (await page.context().cookies()).filter((c) => c.name.startsWith('editlock_login'));
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });

      for (const path of ['nope', 'no/pe/nope', 'ui/nope/nope']) {
        await page.goto(url + path);
        await heading(words.missing);
        await flawless(page, path);
        await follow(words.home);
        await expect(page).toHaveURL(url);
      }

      await page.getByRole('button', { name: words.leave, exact: true }).click();
      await heading(words.out);
      await flawless(page, 'logged out');
      const there = new URL(await page.getByRole('link').first().getAttribute('href'));
      expect(there.searchParams.get('post_logout_redirect_uri')).toBe(url);
      await follow(words.again);
      await expect(page).toHaveURL(url);

      // A form that was open while the login ended.
      await page.context().clearCookies();
      await page.evaluate(() => { Object.assign(document.body.appendChild(document.createElement('form')), { method: 'post', action: 'ui/act' }).submit(); });
      await heading(words.gone);
      await flawless(page, 'a form without a login');

      login.refuse = true;
      await page.goto(url);
      await heading(words.failed);
      await flawless(page, 'a failed login');
      login.refuse = false;
      await follow(words.retry);
      await expect(page).toHaveURL(url);

      await page.goto(`${url}auth/callback?state=ABCDEFGHIJKLMNOPQRSTUVWXYZ&code=x`);
      await heading(words.old);
      await flawless(page, 'a login of another browser');
    } finally {
      await login.stop();
    }
  });
}

test('a server without a login says so', async ({ serve, visit }) => {
  const url = await serve([], () => '[[issuer]]\nname = "shop"\naudience = "editlock"\njwks_url = "http://127.0.0.1:1/keys"\n');
  const page = await visit({}, (at) => at.href.startsWith(url));
  for (const path of ['', 'ui/history', 'metrics']) {
    await page.goto(url + path);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('This server has no login for people');
    await flawless(page, path);
  }
});
