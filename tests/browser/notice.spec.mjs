// A holder who looks elsewhere is told of who waits: by the page's title, its
// icon, a notification of the desktop.

import { expect, isIn, lock, mutex, test } from './complaints/site.mjs';

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };
const petrova = { session: 'petrova', user_id: 'petrova', name: 'Petrova' };

// away and back: the page is behind another one, as in a browser with tabs.
const away = (page) => page.evaluate(() => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
  document.dispatchEvent(new Event('visibilitychange'));
});
const back = (page) => page.evaluate(() => {
  delete document.hidden;
  document.dispatchEvent(new Event('visibilitychange'));
});

// ask begins to wait, and returns what ends the wait.
async function ask(site, record, message = 'May I?') {
  const key = `key-${Math.random()}`;
  const stop = new AbortController();
  fetch(new URL('/v1/capture', site.server.url), {
    method: 'POST', signal: stop.signal, headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({ mutex: mutex(record), owner: petrova, if: { free: true }, wait: '60s', message }),
  }).catch(() => {});
  await expect.poll(async () => (await site.holder(record))?.waiting).toBe(1);
  return async () => {
    await site.editlock('/v1/release', { mutex: mutex(record), owner: petrova, if: { request: key } });
    stop.abort();
  };
}

const icon = (page) => page.evaluate(() => document.querySelector('link[rel~=icon]')?.getAttribute('href') ?? '');

test('the title tells, until the holder looks', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await ask(site, '1');
  await expect(page.getByRole('region', { name: 'Waiting for you' })).toBeVisible();
  await expect(page).toHaveTitle('Record'); // they saw it come
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('region', { name: 'Waiting for you' })).toBeHidden();

  await away(page);
  await ask(site, '1');
  await expect(page).toHaveTitle('(1)\u2002Record');
  await page.evaluate(() => { document.title = 'Renamed'; });
  await expect(page).toHaveTitle('(1)\u2002Renamed');
  await back(page);
  await expect(page).toHaveTitle('Renamed');
  expect(await icon(page)).toBe(''); // nobody asked for a dot
});

test('the title tells, until the question is over', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await away(page);
  const leave = await ask(site, '1');
  await expect(page).toHaveTitle('(1)\u2002Record');
  await leave();
  await expect(page).toHaveTitle('Record');
  await ask(site, '1');
  await expect(page).toHaveTitle('(1)\u2002Record');
  await site.editlock('/v1/takeover', { mutex: mutex('1'), owner: petrova, seen_token: (await site.holder('1')).token, reason: 'urgent' });
  await isIn(page, 'lost');
  await expect(page).toHaveTitle('Record');
});

test('a page may do without', async ({ site, visit }) => {
  const page = await visit({ ...ivanov, notify: 'off' });
  await isIn(page, 'mine');
  await away(page);
  await ask(site, '1');
  await expect(page.getByRole('region', { name: 'Waiting for you' })).toBeVisible();
  await expect(page).toHaveTitle('Record');
});

test('several elements of a page count together, and may show a dot on its icon', async ({ site, page }) => {
  const one = (name) => `<edit-lock group="site" mode="record" object="${name}" session="ivanov" user="ivanov" name="Ivanov" notify="title icon"><input name="text"></edit-lock>`;
  const image = 'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" width="16" height="16"%3E%3Crect width="16" height="16" fill="blue"/%3E%3C/svg%3E';
  site.pages.set('/two', { type: 'text/html', body: `<!doctype html><html lang="en"><title>Two</title><link rel="icon" href='${image}'><script type="module" src="/editlock/element.js"></script>${one('1')}${one('2')}` });
  await page.goto(`${site.url}/two`);
  for (const n of [0, 1]) await expect(lock(page).nth(n)).toHaveAttribute('state', 'mine');
  await away(page);
  const leave = await ask(site, '1');
  await ask(site, '2');
  await expect(page).toHaveTitle('(2)\u2002Two');
  await expect.poll(() => icon(page)).toMatch(/^data:image\/png/);
  const corners = await page.evaluate(async () => {
    const image = Object.assign(new Image(), { src: document.querySelector('link[rel~=icon]').href });
    await image.decode();
    const pen = Object.assign(document.createElement('canvas'), { width: 32, height: 32 }).getContext('2d');
    pen.drawImage(image, 0, 0);
    return [[4, 28], [24, 8]].map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data]);
  });
  expect(corners).toEqual([[0, 0, 255, 255], [0xcf, 0x3f, 0x2a, 255]]); // the page's own, and the dot
  await leave();
  await expect(page).toHaveTitle('(1)\u2002Two');
  await page.evaluate(() => document.querySelectorAll('edit-lock')[1].remove());
  await expect(page).toHaveTitle('Two');
  expect(await icon(page)).toBe(image);
});

for (const [lang, offer, title] of [['en', 'Notify me of requests', 'Petrova is waiting for you'], ['ru', 'Уведомлять о просьбах', 'Вас ждёт Petrova']]) {
  test(`the desktop tells who allowed it by a click, in ${lang}`, async ({ site, browser, visit }) => {
    const context = await browser.newContext();
    await context.addInitScript(() => {
      const Real = globalThis.Notification;
      window.told = [];
      window.asked = 0;
      let permission = 'default';
      globalThis.Notification = class extends Real {
        static get permission() { return permission; }

        static async requestPermission() {
          window.asked++;
          permission = navigator.userActivation.isActive ? 'granted' : 'denied';
          return permission;
        }

        constructor(title, options) {
          super(title, options);
          window.told.push({ title, body: options.body });
          const { close } = this;
          this.close = () => {
            window.told.push('closed');
            close.call(this);
          };
        }
      };
    });
    const page = await visit({ ...ivanov, notify: 'title desktop', lang }, '1', { context });
    await isIn(page, 'mine');
    expect(await page.evaluate(() => window.asked)).toBe(0);
    await page.getByRole('button', { name: offer }).click();
    await expect(page.getByRole('button', { name: offer })).toBeHidden();
    expect(await page.evaluate(() => window.asked)).toBe(1);
    await away(page);
    await ask(site, '1');
    await expect.poll(() => page.evaluate(() => window.told)).toEqual([{ title, body: 'May I?' }]);
    await back(page);
    await expect.poll(() => page.evaluate(() => window.told)).toEqual([{ title, body: 'May I?' }, 'closed']);
    await context.close();
  });
}

test('without the attribute nobody is offered notifications of the desktop', async ({ visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await expect(page.getByRole('button', { name: 'Notify me of requests' })).toBeHidden();
});
