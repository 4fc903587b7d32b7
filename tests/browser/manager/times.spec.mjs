// Times are right although the browser's clock is not.

import { expect, parse, owner, row, test } from './manager.mjs';

// wrongClock makes a browser's clock go ten minutes ahead or behind, and
// leaves its timers alone.
const wrongClock = (minutes) => {
  const Real = Date, off = minutes * 60_000;
  window.Date = class extends Real {
    constructor(...args) { args.length ? super(...args) : super(Real.now() + off); }
    static now() { return Real.now() + off; }
  };
};

for (const [timezoneId, minutes] of [['Asia/Kolkata', 10], ['America/St_Johns', -10]]) {
  test(`in ${timezoneId}, with a clock ${minutes} minutes off`, async ({ hold, read, api, server }) => {
    await hold('Ivanov', 'crm/contract/2417', { auto_release: { idle: '1h', max_hold: '90s' } });
    const { mutex } = await api('/v1/request', { mutex: parse('crm/contract/2417') });
    const here = (stamp) => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: timezoneId }).format(new Date(stamp));
    const page = await read('', { timezoneId });
    await page.addInitScript(wrongClock, minutes);
    await page.goto(server.url);
    expect(Math.abs(await page.evaluate(() => Date.now()) - Date.now())).toBeGreaterThan(9 * 60_000);

    const [since, until] = await row(page, '2417').locator('.when').all();
    await expect(since.locator('b')).toHaveText(/^(now|\d+\ss ago)$/);
    await expect(since.locator('time')).toHaveText(here(mutex.captured_at));
    await expect(since.locator('time')).toHaveAttribute('datetime', /Z$/);
    await expect(until.locator('b')).toHaveText(/^in (1\smin|\d\d\ss)$/);
    await expect(until.locator('time')).toHaveText(here(mutex.expires_at));
    await expect(since.locator('b')).toHaveText(/^\d+\ss ago$/);
    const shown = parseInt(await since.locator('b').textContent(), 10), real = (Date.now() - Date.parse(mutex.captured_at)) / 1000;
    expect(Math.abs(shown - real)).toBeLessThan(3);
  });
}

test('hostile text stays text', async ({ api, read, server }) => {
  const probe = '<img src=x onerror="alert(1)">';
  const o = { ...owner('x'), name: `n${probe}`, login: `l${probe}`, user_id: `u${probe}`, host: `h${probe}`, session: `s${probe}` };
  const mutex = { group: `g${probe}`, mode: `m${probe}`, id: `i${probe}` };
  const taken = await api('/v1/capture', { mutex, owner: o, status_data: `d${probe}` });
  api('/v1/capture', { mutex, owner: { ...o, session: 'other', name: `w${probe}` }, wait: '300s', message: `q${probe}` }).catch(() => {});
  const page = await read(`p${probe}`);
  await expect(row(page, `i${probe}`)).toContainText(`n${probe}`);
  await expect(row(page, `i${probe}`)).toContainText(`w${probe}`);
  await page.getByRole('link', { name: `i${probe}`, exact: true }).click();
  await expect(page.locator('#state')).toContainText(`q${probe}`);
  await page.locator('#release').click();
  await page.getByLabel('Reason').fill(`r${probe}`);
  await page.getByRole('button', { name: 'Release' }).click();
  await expect(page.locator('#entries')).toContainText(`r${probe}`);
  await page.goto(`${server.url}/ui/history`);
  await expect(page.locator('#entries')).toContainText(`r${probe}`);
  await page.goto(`${server.url}/?q=${encodeURIComponent(probe)}`);
  await expect(page.getByRole('searchbox')).toHaveValue(probe);
  await page.goto(`${server.url}/ui/person?who=${encodeURIComponent(`u:u${probe}`)}`);
  await expect(page.locator('#entries')).toContainText(`r${probe}`);
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(taken.mutex.status_data).toBe(`d${probe}`);
});

test('a form on another site changes nothing', async ({ hold, browser, server, api }) => {
  const mutex = await hold('Ivanov', 'crm/contract/2417');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/ui/me`);
  await page.locator('#name').fill('Petrova');
  await page.locator('#name').press('Enter');
  await expect(row(page, '2417')).toBeVisible();
  const elsewhere = server.url.replace('127.0.0.1', 'localhost'); // another origin
  await page.route(`${elsewhere}/evil`, (route) => route.fulfill({
    contentType: 'text/html',
    body: `<form method="post" action="${server.url}/ui/act?do=release"><input name="lock" value="crm/contract/2417 ${mutex.token}"><input name="reason" value="evil"><button>Win a prize</button></form>`,
  }));
  await page.goto(`${elsewhere}/evil`);
  await page.getByRole('button').click();
  await expect(page.locator('body')).toContainText('This came from another site');
  expect((await api('/v1/request', { mutex: parse('crm/contract/2417') })).mutex.token).toBe(mutex.token);
  await context.close();
});

test('within a sentence the time stands before how long ago that was', async ({ hold, await_, read, server }) => {
  await hold('Ivanov', 'crm/contract/2417');
  await await_('Kim', 'crm/contract/2417', 'May I?');
  const page = await read('Petrova');
  await page.goto(`${server.url}/ui/lock?id=crm/contract/2417`);
  await expect(page.locator('.waiters li')).toContainText(/since \d\d:\d\d \((now|\d+\ss ago)\)/);
  await page.locator('#release').click();
  await expect(page.locator('.chosen')).toContainText(/since \d\d:\d\d \((now|\d+\ss ago)\)/);
  await expect(page.locator('.lead')).toContainText('The holder is told at once');
});
