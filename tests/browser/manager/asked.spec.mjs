// A holder is told who waits: on every page, in the title, by the icon, and by a notice
// of the desktop, if they want one.

import { expect, parse, test } from './manager.mjs';

// notices records what the desktop would show, and answers for the browser's user.
const notices = (answer) => {
  window.asked = 0;
  window.shown = [];
  window.Notification = class {
    static permission = sessionStorage.getItem('permission') ?? 'default';
    static async requestPermission() {
      window.asked++;
      sessionStorage.setItem('permission', answer);
      return this.permission = answer;
    }
    constructor(title, { body, tag }) { window.shown.push([title, body, Boolean(tag)]); }
    close() {}
  };
  document.hasFocus = () => false;
};

test('on every page, in the title and by the icon', async ({ hold, await_, read, server, api }) => {
  await hold('Ivanov', 'crm/contract/2417');
  const page = await read('Ivanov');
  await page.goto(`${server.url}/ui/history`);
  await expect(page).toHaveTitle('History · editlock');
  await await_('Kim', 'crm/contract/2417', 'Only the date, please');
  await expect(page).toHaveTitle('(1) History · editlock');
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', /icon-asked\.svg$/);
  await expect(page.locator('#asked')).toContainText('Kim is waiting for your lock crm/contract/2417');
  await expect(page.locator('#asked')).toContainText('Only the date, please');
  const other = await read('Petrova');
  await expect(other).toHaveTitle('Locks · editlock');
  await page.locator('#asked').getByRole('link', { name: 'crm/contract/2417' }).click();
  await expect(page.locator('#release')).toBeVisible();
  const { mutex } = await api('/v1/request', { mutex: parse('crm/contract/2417') });
  await api('/v1/decline', { mutex: parse('crm/contract/2417'), owner: mutex.owner, waiter: mutex.waiters[0].id, message: 'no' });
  await expect(page).toHaveTitle('2417 · editlock');
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', /icon\.svg$/);
});

test('by a notice of the desktop, after a click that asks for it', async ({ hold, await_, read }) => {
  await hold('Ivanov', 'crm/contract/2417');
  await hold('Ivanov', 'crm/contract/2431');
  const page = await read('Ivanov');
  await page.addInitScript(notices, 'granted');
  await page.reload();
  await await_('Kim', 'crm/contract/2417');
  await expect(page.locator('[data-ask]')).toHaveCount(1);
  expect(await page.evaluate(() => [window.asked, window.shown])).toEqual([0, []]);
  await page.getByRole('button', { name: 'Notify me of requests' }).click();
  await expect(page.getByRole('button', { name: 'Stop notifying me' })).toBeVisible();
  expect(await page.evaluate(() => [window.asked, window.shown])).toEqual([1, []]);
  await await_('Chen', 'crm/contract/2431', 'May I?');
  await expect.poll(() => page.evaluate(() => window.shown)).toEqual([['Chen is waiting for crm/contract/2431', 'May I?', true]]);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Stop notifying me' })).toBeVisible();
  await expect(page.locator('[data-ask]')).toHaveCount(2);
  expect(await page.evaluate(() => [window.asked, window.shown])).toEqual([0, []]); // told already
});

test('not if the browser does not allow it, and nobody is asked twice', async ({ hold, read }) => {
  await hold('Ivanov', 'crm/contract/2417');
  const page = await read('Ivanov');
  await page.addInitScript(notices, 'denied');
  await page.reload();
  await page.getByRole('button', { name: 'Notify me of requests' }).click();
  await expect(page.getByRole('button', { name: 'Notifications are blocked by this browser' })).toBeDisabled();
  await page.reload();
  await expect(page.getByRole('button', { name: 'Notifications are blocked by this browser' })).toBeDisabled();
  expect(await page.evaluate(() => window.asked)).toBe(0);
  const stranger = await read();
  await expect(stranger.locator('#live-switch')).toBeVisible();
  await expect(stranger.locator('#notify')).toHaveCount(0);
});
