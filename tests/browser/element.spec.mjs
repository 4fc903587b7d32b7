// <edit-lock> in a plain page of somebody else: accessible, and no markup from
// what people write.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, isIn, kept, lock, mutex, test, text } from './complaints/site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };
const petrova = { name: 'Petrova', session: 'petrova', user: 'petrova' };

async function flawless(page, what) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  expect(passes.map((p) => p.id)).toContain('color-contrast');
  expect(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`)).toEqual([]);
}

test('axe finds nothing wrong with the element, in any state', async ({ site, visit }) => {
  const page = await visit({ ...ivanov, idle: '30s', 'inactive-after': '60s' });
  await isIn(page, 'mine');
  await flawless(page, 'mine');
  const other = await visit(petrova);
  await isIn(other, 'other');
  await flawless(other, 'other');
  const self = await visit(ivanov, '1', { context: page.context() });
  await isIn(self, 'self');
  await flawless(self, 'self');
  await self.close();
  await other.getByRole('button', { name: 'Wait in the queue' }).click();
  await flawless(other, 'dialog');
  await other.getByRole('dialog').getByRole('textbox').fill('May I?');
  await other.getByRole('dialog').getByRole('button', { name: 'Wait' }).click();
  await expect(lock(other).locator('#headline')).toContainText('number 1');
  await flawless(other, 'waiting');
  await expect(page.getByRole('region', { name: 'Waiting for you' })).toBeVisible();
  await flawless(page, 'somebody waits');
  await text(page).fill('unsaved text');
  await page.context().setOffline(true);
  await page.evaluate(() => document.querySelector('edit-lock').lock.check());
  await expect(lock(page).locator('#detail')).toContainText('No connection');
  await flawless(page, 'offline');
  await page.context().setOffline(false);
  await expect(lock(page).locator('#detail')).not.toContainText('No connection');
  await other.getByRole('button', { name: 'Take over…' }).click();
  await other.getByRole('dialog').getByRole('textbox').fill('urgent');
  await other.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
  await isIn(page, 'lost');
  await expect(kept(page)).toBeVisible();
  await flawless(page, 'lost');
  site.fault = () => ({ status: 401 });
  await page.reload();
  await isIn(page, 'error');
  await flawless(page, 'signed out');
});

test('a takeover by the keyboard alone', { tag: '@firefox' }, async ({ visit }) => {
  const page = await visit(ivanov), other = await visit(petrova);
  await isIn(page, 'mine');
  await isIn(other, 'other');
  await other.evaluate(() => { document.querySelector('edit-lock').reload = async () => () => {}; });
  const focused = () => other.evaluate(() => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    return e?.textContent;
  });
  for (let i = 0; await focused() !== 'Take over…'; i++) {
    expect(i).toBeLessThan(20);
    await other.keyboard.press('Tab');
  }
  await other.keyboard.press('Enter');
  await expect(other.getByRole('dialog').getByRole('textbox')).toBeFocused();
  await other.keyboard.press('Escape');
  expect(await focused()).toBe('Take over…');
  await other.keyboard.press('Enter');
  await other.keyboard.type('urgent');
  await other.keyboard.press('Tab');
  await other.keyboard.press('Enter');
  await isIn(other, 'mine');
  await expect(lock(other).locator('#banner')).toBeFocused(); // her button is gone
  await isIn(page, 'lost');
});

test('a dialog that is opened again at once is the one that counts', async ({ visit }) => {
  const page = await visit(ivanov), other = await visit(petrova);
  await isIn(page, 'mine');
  await isIn(other, 'other');
  await other.getByRole('button', { name: 'Take over…' }).evaluate((button) => {
    const dialog = button.getRootNode().querySelector('dialog');
    button.click();
    dialog.close(); // its event comes later
    button.click();
  });
  await other.waitForTimeout(100);
  await other.getByRole('dialog').getByRole('textbox').fill('urgent');
  await other.getByRole('dialog').getByRole('button', { name: 'Take over' }).click();
  await isIn(other, 'mine');
});

test('whatever script a name is written in, the sentence around it keeps its order', async ({ site, visit }) => {
  const owner = { session: 'david', user_id: 'david', name: 'דוד (2)' };
  const call = (path, body) => site.editlock(path, { mutex: mutex('1'), owner, ...body });
  await call('/v1/capture', {});
  const page = await visit({ name: 'Petrova', session: 'petrova', user: 'petrova' });
  await expect(lock(page).locator('#headline bdi')).toHaveText('דוד (2)');
  await page.getByRole('button', { name: 'Wait in the queue' }).click();
  await expect(page.getByRole('dialog').locator('bdi').first()).toHaveText('דוד (2)');
  await page.getByRole('dialog').getByRole('textbox').fill('May I?');
  await page.getByRole('dialog').getByRole('button', { name: 'Wait' }).click();
  await expect.poll(async () => (await site.holder('1')).waiters.length).toBe(1);
  await call('/v1/decline', { waiter: (await site.holder('1')).waiters[0].id, message: 'לא עכשיו!' });
  await expect(lock(page).locator('#detail bdi').nth(1)).toHaveText('לא עכשיו!');

  await call('/v1/release', {});
  await page.getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  call('/v1/capture', { wait: '60s', message: 'בבקשה' }).catch(() => {}); // until the server stops
  await expect(page.locator('#waiters-list bdi')).toHaveText(['דוד (2)', 'בבקשה']);
  await expect(page.getByRole('button', { name: 'Not now: answer \u2068דוד (2)\u2069' })).toBeVisible();
  await call('/v1/takeover', { seen_token: (await site.holder('1')).token, reason: 'דחוף' });
  await isIn(page, 'lost');
  await expect(lock(page).locator('#detail bdi')).toHaveText('דחוף');
});

test('a name of blanks is none', async ({ visit, site }) => {
  const page = await visit({ name: '  ', session: 'ivanov', user: 'ivanov' });
  await isIn(page, 'mine');
  expect((await site.holder('1')).owner).toMatchObject({ user_id: 'ivanov', name: '' });
});

test('whatever people write stays text', async ({ site, visit }) => {
  const probe = (what) => `<img src=x onerror="alert('${what}')">&lt;${what}`;
  const owner = { session: probe('session'), user_id: probe('user'), login: probe('login'), name: probe('name'), host: probe('host') };
  const call = (path, body) => site.editlock(path, { mutex: mutex('1'), owner, ...body });
  await call('/v1/capture', { status_data: probe('status') });
  const page = await visit({ name: probe('reader'), session: 'ivanov', user: 'ivanov' });
  await expect(lock(page).locator('#headline')).toContainText(`${probe('name')} has been editing`);
  await page.getByRole('button', { name: 'Wait in the queue' }).click();
  await expect(page.getByRole('dialog')).toContainText(probe('name'));
  await page.getByRole('dialog').getByRole('textbox').fill(probe('ask'));
  await page.getByRole('dialog').getByRole('button', { name: 'Wait' }).click();
  await expect.poll(async () => (await site.holder('1')).waiters[0]?.message).toBe(probe('ask'));
  await call('/v1/decline', { waiter: (await site.holder('1')).waiters[0].id, message: probe('answer') });
  await expect(lock(page).locator('#detail')).toContainText(probe('answer'));

  await call('/v1/release', {});
  await page.getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  await text(page).fill(probe('unsaved'));
  call('/v1/capture', { wait: '60s', message: probe('message') }).catch(() => {}); // until the server stops
  await expect(page.getByRole('region', { name: 'Waiting for you' })).toContainText(probe('message'));
  const { token } = await site.holder('1');
  await call('/v1/takeover', { seen_token: token, reason: probe('reason') });
  await isIn(page, 'lost');
  await expect(lock(page).locator('#detail')).toContainText(probe('reason'));
  await expect(kept(page)).toContainText(probe('unsaved'));
  await page.getByRole('button', { name: 'Take over…' }).click();
  await expect(page.getByRole('dialog')).toContainText(probe('name'));
  expect(await page.locator('img').count()).toBe(0);
});
