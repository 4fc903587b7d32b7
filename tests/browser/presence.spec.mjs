// Who else looks at a document: in the banner, in the list and in the lock manager.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flawless } from './axe.mjs';
import { address, card, click, contract, expect, headline, isIn, notes, test } from './office.mjs';

const company = (page) => page.locator('#company');
const summary = (page) => company(page).locator('summary');
const others = (page) => company(page).locator('li');

// beat has a page tell at once what it would tell within ten seconds.
const beat = (page) => page.evaluate(() => dispatchEvent(new Event('online')));
const beats = async (...pages) => { for (const page of pages) await beat(page); };

// hide makes a page one that is not seen, show one that is.
const hide = (page) => page.evaluate(() => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
  document.dispatchEvent(new Event('visibilitychange'));
});

// visit arrives and opens the contract, held or not.
const at = (server) => async (page) => {
  await page.goto(server.contract);
  await expect(page.locator('edit-lock')).toHaveAttribute('state', /mine|other|self/);
  return page;
};

test('the banner names who else looks, with badges, and counts the others', async ({ arrive, edit, server }) => {
  const open = at(server);
  const anna = await edit('Anna Petrova'), boris = await open(await arrive('Boris Kim'));
  await beats(anna);
  await expect(summary(anna)).toHaveText('BKAlso looking: Boris Kim');
  await expect(company(boris)).toBeHidden(); // Anna edits, which the headline says
  await expect(headline(boris)).toContainText('Anna Petrova has been editing this');

  const rest = [];
  for (const name of ['Clara Li', 'David Roth', 'Emil Berg', 'Fanny Ek']) rest.push(await open(await arrive(name)));
  await beats(anna, boris);
  await expect(summary(anna)).toContainText(/Also looking: Boris Kim, Clara Li, David Roth and 2 others$/);
  await expect(summary(anna).locator('.badge')).toHaveText(['BK', 'CL', 'DR']);
  await expect(summary(boris)).toContainText(/Also looking: Clara Li, David Roth, Emil Berg and Fanny Ek$/);

  // Two pages of a person are one person.
  const second = await rest[0].context().newPage();
  await open(second);
  await beats(anna);
  await expect(summary(anna)).toContainText('and 2 others');

  // Who leaves is gone at the next beat.
  await second.close();
  for (const page of [...rest, boris]) await page.goto(server.office);
  await beats(anna);
  await expect(company(anna)).toBeHidden();
});

test('по-русски: кто смотрит, и кто не сохранил', { tag: '@firefox' }, async ({ arrive, server }) => {
  const russian = { locale: 'ru-RU' }, open = at(server);
  const anna = await open(await arrive('Анна Петрова', russian)), boris = await open(await arrive('Борис Ким', russian));
  const rest = [];
  for (const name of ['Вера Ли', 'Глеб Рот', 'Дина Берг']) rest.push(await open(await arrive(name, russian)));
  await anna.getByRole('textbox', { name: 'Примечания' }).fill('черновик');
  await beats(anna, boris);
  await expect(summary(anna)).toHaveText(/Смотрят: Борис Ким, Вера Ли, Глеб Рот и Дина Берг$/);
  await expect(company(boris).locator('p')).toHaveText('Анна Петрова: есть несохранённые правки.');
  await expect(summary(boris)).toHaveText(/Смотрят: Вера Ли, Глеб Рот и Дина Берг$/);
  await rest[0].goto(server.office);
  await expect(card(rest[0]).or(rest[0].locator('.card').first()).locator('.card-looking')).toHaveText('смотрят: 3');
  await boris.locator('#company summary').click();
  await flawless(boris, 'кто смотрит');
});

test('the list and the lock manager tell it too', async ({ arrive, browser, edit, server }) => {
  const open = at(server);
  await edit('Anna Petrova');
  await open(await arrive('Boris Kim'));
  const clara = await arrive('Clara Li');
  await clara.goto(server.office);
  await expect(card(clara)).toContainText('Anna Petrova, since');
  await expect(card(clara).locator('.card-looking')).toHaveText('looking: 1');
  await expect(clara.locator('.card', { hasText: 'Invoice 1094' }).locator('.card-looking')).toBeHidden();

  const manager = await browser.newPage();
  await manager.goto(new URL(`/ui/lock?id=demo/contract/${contract.id}`, server.url).href);
  const list = manager.getByRole('list', { name: /Looking/ });
  await expect(list.getByRole('listitem')).toHaveCount(2);
  await expect(list).toContainText('Boris Kim');
  await expect(list.locator('.badge').first()).toHaveAttribute('data-initials', 'AP');
  await flawless(manager, 'lock');
  await manager.close();
});

test('the keyboard opens it, and axe finds nothing wrong', async ({ arrive, edit, server }) => {
  const anna = await edit('Anna Petrova');
  await at(server)(await arrive('Boris Kim'));
  await beats(anna);
  await expect(summary(anna)).toBeVisible();
  await anna.evaluate(() => document.querySelector('.skip').focus());
  for (let i = 0; i < 30; i++) {
    await anna.keyboard.press('Tab');
    if (await summary(anna).evaluate((e) => e.getRootNode().activeElement === e)) break;
  }
  await anna.keyboard.press('Enter');
  await expect(others(anna)).toHaveText([/^BKBoris Kimsince\s\d?\d:\d\d/]);
  await flawless(anna, 'who looks');
  // What is new in the list neither closes it nor takes the focus away.
  await at(server)(await arrive('Clara Li'));
  await beats(anna);
  await expect(others(anna)).toHaveCount(2);
  await expect(company(anna).locator('details')).toHaveAttribute('open', '');
  expect(await summary(anna).evaluate((e) => e.getRootNode().activeElement === e)).toBe(true);
  await anna.keyboard.press('Enter');
  await expect(others(anna).first()).toBeHidden();
});

test('unsaved edits of a hidden tab stay shown, a hidden look ends after 30 s', async ({ arrive, edit, server }) => {
  const open = at(server);
  const anna = await edit('Anna Petrova'), boris = await open(await arrive('Boris Kim')), clara = await open(await arrive('Clara Li'));
  await notes(anna).fill('half a sentence');
  await beats(anna, clara);
  await expect(company(clara)).toContainText('Anna Petrova has unsaved edits.');
  await expect(summary(clara)).toContainText('Boris Kim');
  // From now on neither of them gets a timer, as a browser may decide.
  const said = [];
  anna.on('request', (r) => r.url().endsWith('/v1/presence') && said.push(r.postDataJSON()));
  await hide(anna);
  await hide(boris);
  await expect.poll(() => said.at(-1)?.looks[0]).toMatchObject({ state: 'unsaved', hidden: true });
  await anna.route('**/v1/*', (route) => route.abort());
  await expect(summary(clara)).toBeHidden({ timeout: 45_000 });
  await clara.waitForTimeout(5000);
  await beat(clara);
  await expect(company(clara)).toContainText('Anna Petrova has unsaved edits.');
});

test('who does nothing for some minutes is away', async ({ arrive, edit, server }) => {
  const anna = await edit('Anna Petrova'), boris = await arrive('Boris Kim');
  await boris.clock.install();
  await at(server)(boris);
  await boris.clock.fastForward(200_000);
  await beats(anna);
  await summary(anna).click();
  await expect(others(anna)).toHaveText(['BKBoris Kimaway']);
  await boris.mouse.move(10, 10);
  await boris.clock.runFor(1000);
  await beats(anna);
  await expect(others(anna)).toHaveText([/since/]);
});

test.describe('looking', () => {
  test.use({ idle: '3s' });
  test('neither prolongs a lock, nor takes it, nor is history', async ({ arrive, edit, server, api }) => {
    const anna = await edit('Anna Petrova'), boris = await at(server)(await arrive('Boris Kim'));
    await boris.evaluate(() => document.querySelector('edit-lock').setAttribute('idle', '3s'));
    await anna.route('**/v1/{refresh,release}', (route) => route.abort()); // Anna's page is cut off from the lock, not from presence
    for (let i = 0; i < 8; i++) {
      await beats(anna, boris);
      await boris.waitForTimeout(500);
    }
    await isIn(boris, 'free');
    const { entries } = await api(`v1/history?group=demo&mode=contract&id=${contract.id}`);
    expect(entries.map((e) => e.kind)).toEqual(['expired', 'captured']);
  });
});

test.describe('a beat', () => {
  test.use({ idle: '12s' });
  test('of a page that holds a lock goes along with its refresh, and says all that the page shows', async ({ edit, arrive, server }) => {
    const anna = await edit('Anna Petrova');
    await at(server)(await arrive('Boris Kim'));
    const refreshes = [], alone = [];
    anna.on('request', (r) => {
      if (r.url().endsWith('/v1/refresh')) refreshes.push(r.postDataJSON());
      if (r.url().endsWith('/v1/presence')) alone.push(Date.now());
    });
    await expect.poll(() => refreshes.length, { timeout: 30_000 }).toBeGreaterThan(3);
    expect(alone).toEqual([]); // one is due each four seconds, which is often enough
    expect(refreshes.at(-1).presence.looks).toEqual([{ mutex: contract, state: 'editing' }]);
    await expect(summary(anna)).toContainText('Boris Kim');
  });
});

test.describe('turned off for a group', () => {
  test.use({ config: '[presence]\noff = ["demo"]\n' });
  test('nobody is told of anybody, and pages stop telling', async ({ arrive, edit, server, api }) => {
    const anna = await edit('Anna Petrova'), boris = await at(server)(await arrive('Boris Kim'));
    await beats(anna, boris);
    const said = [];
    boris.on('request', (r) => r.url().endsWith('/v1/presence') && said.push(r));
    await beats(boris, boris);
    await boris.waitForTimeout(1000);
    expect(said).toEqual([]);
    await expect(company(anna)).toBeHidden();
    await expect(company(boris)).toBeHidden();
    const { results } = await api('v1/presence-query', { mutexes: [contract] });
    expect(results).toMatchObject([{ people: [], count: 0, holder: { name: 'Anna Petrova' } }]);
  });
});

// element is a page of the server's own with nothing but an element.
async function element(page, server, attributes, client = '') {
  await page.route('**/plain', (route) => route.fulfill({
    contentType: 'text/html',
    body: `<!doctype html><html lang="en"><body><script type="module">
      import { Editlock } from '/editlock/editlock.js';
      import '/editlock/element.js';
      const e = Object.assign(document.createElement('edit-lock'), { client: ${client || 'null'}, innerHTML: '<form><input name="t" aria-label="T"></form>' });
      for (const [name, value] of ${JSON.stringify(Object.entries(attributes))}) e.setAttribute(name, value);
      document.body.append(e);
    </script></body></html>`,
  }));
  await page.goto(new URL('plain', server.url).href);
}

test('is loaded where it is used only', async ({ page, server }) => {
  const loaded = [];
  page.on('request', (r) => loaded.push(new URL(r.url()).pathname));
  await element(page, server, { group: 'demo', object: '1', user: 'u1', name: 'Anna' });
  await isIn(page, 'mine');
  expect(loaded.filter((path) => /presence/.test(path))).toEqual([]);
  await element(page, server, { group: 'demo', object: '2', user: 'u1', name: 'Anna', presence: '' });
  await isIn(page, 'mine');
  await expect.poll(() => loaded.filter((path) => /presence/.test(path))).toEqual(['/editlock/presence.js', '/v1/presence']);
});

test.describe('where callers are known', () => {
  const known = test.extend({
    // server believes tokens, and gives editors rights, guests none.
    server: async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'editlock-known-')), config = join(folder, 'editlock.toml');
      const secret = join(folder, 'secret');
      await writeFile(secret, 'a secret of forty characters, or a few more');
      await writeFile(config, `[[issuer]]\nname = "shop"\naudience = "editlock"\nsecret_file = "${secret}"\n
        [[rule]]\ngroups = ["editors"]\nrights = ["read", "use"]\ngroup = "docs"\nmode = "*"\n`);
      const program = spawn(process.env.EDITLOCK_PROGRAM,
        ['serve', '--config', config, '--store', `sqlite:${join(folder, 'locks.db')}`, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = new Promise((done) => program.once('exit', done));
      const token = (user, group) => execFileSync(process.env.EDITLOCK_PROGRAM,
        ['token', '--secret-file', secret, '--issuer', 'shop', '--audience', 'editlock', '--session', `${user}-1`, '--user', user, '--name', user, '--member-of', group]).toString().trim();
      await use({ url: await address(program), token });
      program.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  });

  known('a page is its credentials\' owner, and who may not see the lock sees nobody', async ({ browser, server }) => {
    const visit = async (user, group, said) => {
      const page = await (await browser.newContext()).newPage();
      await element(page, server, { group: 'docs', object: '1', presence: '' },
        `new Editlock({ owner: ${JSON.stringify(said)}, token: ${JSON.stringify(server.token(user, group))} })`);
      return page;
    };
    const anna = await visit('anna', 'editors', { name: 'anna' });
    await isIn(anna, 'mine');
    const boris = await visit('boris', 'editors', { user_id: 'boss', name: 'The Boss' });
    await isIn(boris, 'other');
    await beats(anna);
    await expect(summary(anna)).toHaveText('BAlso looking: boris');

    const answers = [];
    const guest = await visit('guest', 'guests', {});
    guest.on('response', (r) => r.request().postData()?.includes('"looks":[{') && r.json().then((a) => answers.push(a.results[0].code), () => {})); // none if the page has gone
    await guest.reload();
    await expect.poll(() => [...new Set(answers)]).toEqual(['forbidden']);
    await beats(anna);
    await anna.waitForTimeout(500);
    await expect(summary(anna)).toHaveText('BAlso looking: boris');
    await expect(company(guest)).toBeHidden();
  });
});
