// 2.3: "I lost it without noticing, and my work was overwritten", and 2.7: "we
// both clicked". 2.4: takeovers.

import { expect, isIn, kept, lock, mutex, test, text, tokenOf } from './site.mjs';

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };
const petrova = { name: 'Petrova', session: 'petrova', user: 'petrova' };
const detail = (page) => lock(page).locator('#detail');

async function takeOver(page, reason) {
  await page.getByRole('button', { name: 'Take over…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(reason);
  await dialog.getByRole('button', { name: 'Take over' }).click();
}

test('a form sent with a stale token changes no byte', async ({ site, visit, request }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const stale = await tokenOf(page);
  const other = await visit(petrova);
  await takeOver(other, 'urgent');
  await isIn(other, 'mine');
  expect(Number(await tokenOf(other))).toBeGreaterThan(Number(stale));
  await expect.poll(() => tokenOf(page)).toBe('');
  site.records.set('1', 'what is stored');
  const refused = await request.post(site.page('1', ivanov), { form: { text: 'overwritten', editlock_token: stale } });
  expect(refused.status()).toBe(409);
  expect(await refused.text()).toContain('lost');
  expect(site.records.get('1')).toBe('what is stored');
});

test('a form without scripts of its own saves under its lock, and is edited on', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const token = await tokenOf(page);
  await text(page).fill('saved once');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => site.records.get('1')).toBe('saved once');
  await isIn(page, 'mine');
  await expect(text(page)).toHaveValue('saved once');
  await expect(kept(page)).toBeHidden();
  expect(await tokenOf(page)).toBe(token);
});

test('a takeover is told within a second, mid-sentence, and the sentence is kept', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ivanov), other = await visit(petrova);
  await isIn(page, 'mine');
  await isIn(other, 'other');
  await text(page).fill('');
  await text(page).pressSequentially('two hours of');
  await page.evaluate(() => {
    const e = document.querySelector('edit-lock');
    e.addEventListener('editlock-change', () => { if (e.state === 'lost') window.toldAt ??= performance.timeOrigin + performance.now(); });
  });
  await takeOver(other, 'The customer\nwaits');
  await isIn(page, 'lost');
  const { at } = (await site.history('1')).find((e) => e.kind === 'taken_over');
  expect(await page.evaluate(() => window.toldAt) - new Date(at)).toBeLessThan(1000);
  await page.keyboard.type(' work'); // too late
  await expect(lock(page).locator('#headline')).toContainText('Petrova took this over at');
  await expect(detail(page)).toContainText('Reason: “The customer waits”.');
  await expect(kept(page)).toContainText('two hours of');
  await expect(kept(page)).toContainText('Stored now: as it was');
  await expect(text(page)).toHaveValue('as it was');
  expect((await site.history('1')).filter((e) => e.kind === 'taken_over')).toHaveLength(1);

  await test.step('and after a crash of the page, too', async () => {
    await page.goto('about:blank');
    await page.goto(site.page('1', ivanov));
    await expect(kept(page)).toContainText('two hours of');
  });
});

test('who lost unsaved text is asked before they leave it behind', async ({ browser, site, visit }) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.page('1', ivanov));
  await isIn(page, 'mine');
  await text(page).pressSequentially('unsaved');
  const other = await visit(petrova);
  await takeOver(other, 'urgent');
  await isIn(page, 'lost');
  const [question] = await Promise.all([page.waitForEvent('dialog'), page.close({ runBeforeUnload: true })]);
  expect(question.type()).toBe('beforeunload');
  await question.dismiss();
  await page.getByRole('button', { name: 'Discard' }).click();
  await Promise.all([page.waitForEvent('close'), page.close({ runBeforeUnload: true })]);
});

test('without the server\'s events a takeover is told by the next beat', async ({ site, visit }) => {
  site.fault = (call) => call.path === '/v1/events' ? { status: 403 } : null;
  const page = await visit({ ...ivanov, idle: '15s' });
  await isIn(page, 'mine');
  const { token } = await site.holder('1');
  await site.editlock('/v1/takeover', { mutex: mutex('1'), owner: { session: 'petrova', name: 'Petrova' }, seen_token: token, reason: 'urgent' });
  await isIn(page, 'lost', { timeout: 7000 });
  expect(site.count('/v1/events')).toBe(1); // refused once, it is not asked again
});

test('a screen that was blocked does not become editable by itself', async ({ site, visit }) => {
  const page = await visit(ivanov), other = await visit(petrova);
  await isIn(page, 'mine');
  await isIn(other, 'other');
  await text(page).fill('the newest text');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => site.records.get('1')).toBe('the newest text');
  await isIn(page, 'mine');
  await page.close({ runBeforeUnload: true });
  await isIn(other, 'free');
  await expect(text(other)).not.toBeEditable();
  await expect(text(other)).toHaveValue('as it was');
  // Only with the text that is stored by now.
  await other.getByRole('button', { name: 'Start editing' }).click();
  await expect(text(other)).toHaveValue('the newest text');
  await isIn(other, 'mine');
  await expect(text(other)).toBeEditable();
});

test('who may not take over is told so, and stays there', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  site.fault = (call) => call.path === '/v1/takeover' ? { status: 403 } : null;
  const other = await visit(petrova);
  await takeOver(other, 'please');
  await expect(detail(other)).toContainText('You may not take over.');
  await isIn(other, 'other');
  await isIn(page, 'mine');
});

test('an ask without an answer ends after exactly the time promised', async ({ site, visit }) => {
  const page = await visit({ ...ivanov, 'grant-after': '4s' }), other = await visit(petrova);
  await isIn(page, 'mine');
  await other.getByRole('button', { name: 'Wait in the queue' }).click();
  await other.getByRole('dialog').getByRole('textbox').fill('May I?');
  await other.getByRole('dialog').getByRole('button', { name: 'Wait' }).click();
  await isIn(other, 'mine');
  await isIn(page, 'lost');
  await expect(lock(page).locator('#headline')).toContainText('as the request was not answered');
  const history = await site.history('1');
  const [asked, passed] = ['waiting', 'handed_over'].map((kind) => new Date(history.find((e) => e.kind === kind).at));
  expect(passed - asked).toBeGreaterThanOrEqual(4000);
  expect(passed - asked).toBeLessThan(5000);
});

test('of two who begin at once one edits, and the other is told who', async ({ site, visit }) => {
  const pages = await Promise.all([ivanov, petrova].map((who) => visit({ ...who, manual: '' })));
  for (const page of pages) await isIn(page, 'free');
  const buttons = await Promise.all(pages.map((page) => page.getByRole('button', { name: 'Start editing' }).elementHandle()));
  await Promise.all(buttons.map((button) => button.evaluate((b) => b.click()))); // that of the loser may be gone before a pointer is there
  await expect.poll(() => site.holder('1')).not.toBe(null);
  const { owner } = await site.holder('1');
  const [winner, loser] = owner.name === 'Ivanov' ? pages : pages.toReversed();
  await isIn(winner, 'mine');
  await isIn(loser, 'other');
  await expect(lock(loser).locator('#headline')).toContainText(`${owner.name} has been editing this since`);
  await expect(text(loser)).not.toBeEditable();
  expect(site.calls.filter((c) => c.status >= 500)).toEqual([]);
  await winner.getByRole('button', { name: 'Stop editing' }).click();
  await isIn(loser, 'free');
});

test('the lock begins when editing begins, not at the first change', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  expect(await site.holder('1')).toMatchObject({ owner: { name: 'Ivanov' } });
  const other = await visit(petrova);
  await isIn(other, 'other');
});
