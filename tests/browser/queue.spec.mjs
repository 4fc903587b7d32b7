// Waiting, asking, handing over, taking over.

import { amount, card, click, contract, detail, expect, headline, isIn, notes, say, state, stored, test } from './office.mjs';
import { nginx } from './proxy.mjs';

const kept = (page) => page.getByRole('region', { name: 'Your unsaved text' });
const waiters = (page) => page.getByRole('region', { name: 'Waiting for you' });

async function queue(page, message = '') {
  await click(page, 'Wait in the queue');
  await say(page, message, 'Wait');
  await isIn(page, 'waiting');
}

async function takeOver(page, reason) {
  await click(page, 'Take over…');
  await say(page, reason, 'Take over');
}

test('a waiter who takes over is not told that she waits for herself', async ({ edit, knock }) => {
  await edit('Ivanov');
  const petrova = await knock('Petrova');
  await click(petrova, 'Wait in the queue');
  await say(petrova, 'May I?', 'Wait');
  await expect(headline(petrova)).toContainText('number 1');
  await petrova.evaluate(() => {
    const lock = document.querySelector('edit-lock'), told = window.told = [];
    lock.addEventListener('editlock-change', () => { if (lock.state === 'mine') told.push(lock.lock.holder.waiting); });
  });
  await click(petrova, 'Take over…');
  await say(petrova, 'urgent', 'Take over');
  await isIn(petrova, 'mine');
  await petrova.evaluate(() => document.querySelector('edit-lock').lock.look());
  expect(await petrova.evaluate(() => window.told.filter(Boolean))).toEqual([]);
  expect(await petrova.evaluate(() => window.told.length)).toBeGreaterThan(0);
  await expect(petrova.getByRole('region', { name: 'Waiting for you' })).toBeHidden();
});

test('those who wait see their place, and move up', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova'), sidorova = await knock('Sidorova');
  await queue(petrova);
  await expect(headline(petrova)).toHaveText('You are number 1 in the queue');
  await queue(sidorova);
  await expect(headline(sidorova)).toHaveText('You are number 2 in the queue');
  await expect(detail(sidorova)).toContainText('Ivanov has been editing since');
  await expect(card(ivanov)).toContainText('waiting: 2');
  await expect(waiters(ivanov).getByRole('listitem')).toHaveCount(2);

  await click(petrova, 'Stop waiting');
  await isIn(petrova, 'other');
  await expect(headline(sidorova)).toHaveText('You are number 1 in the queue');
  await expect(waiters(ivanov).getByRole('listitem')).toHaveCount(1);
});

test('who waits has the document as soon as it is free, with the newest text', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova'), sidorova = await knock('Sidorova');
  await queue(petrova);
  await notes(ivanov).fill('the last word');
  await click(ivanov, 'Save');
  await expect(ivanov.getByText('Saved as version 2')).toBeVisible();
  await ivanov.getByRole('link', { name: 'Close' }).click();

  await isIn(petrova, 'mine');
  await expect(detail(petrova)).toContainText('It is your turn');
  await expect(notes(petrova)).toHaveValue('the last word');
  await expect(notes(petrova)).toBeEditable();
  await expect(headline(sidorova)).toContainText('Petrova has been editing');
});

test('a waiter who closes the page is out of the queue', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await queue(petrova);
  await expect(waiters(ivanov)).toBeVisible();
  await petrova.close({ runBeforeUnload: true });
  await expect(waiters(ivanov)).toBeHidden();
  await isIn(ivanov, 'mine');
});

test('the holder sees what is asked, and hands over with the text saved', { tag: '@firefox' }, async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await queue(petrova, 'Only the date, please');
  await expect(waiters(ivanov)).toContainText('Petrova since');
  await expect(waiters(ivanov)).toContainText('Only the date, please');
  await expect(detail(ivanov)).toContainText('Waiting for you: 1.');
  await expect(detail(petrova)).toContainText('If there is no answer, the document comes to you at');

  await notes(ivanov).fill('not yet saved');
  await click(ivanov, 'Save and hand over');
  await expect(headline(ivanov)).toHaveText('You handed this over to Petrova');
  await expect(notes(ivanov)).not.toBeEditable();
  await expect(kept(ivanov)).toBeHidden();
  await isIn(petrova, 'mine');
  await expect(notes(petrova)).toHaveValue('not yet saved');
  await expect(petrova.locator('#history')).toContainText('Passed from Ivanov to Petrova');
  await expect(petrova.locator('#history')).toContainText('Only the date, please');
});

test('the holder declines with a message', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await queue(petrova, 'May I?');
  await ivanov.getByRole('button', { name: 'Not now: answer Petrova' }).click();
  await say(ivanov, 'Ten more minutes', 'Send');

  await isIn(petrova, 'other');
  await expect(detail(petrova)).toContainText('Ivanov can\'t hand over yet: “Ten more minutes”');
  await expect(petrova.getByRole('button', { name: 'Wait in the queue' })).toBeVisible();
  await expect(waiters(ivanov)).toBeHidden();
  await isIn(ivanov, 'mine');
  await expect(ivanov.locator('#history')).toContainText('Ivanov asked Petrova for patience');
});

test('a takeover needs a reason', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await click(petrova, 'Take over…');
  const dialog = petrova.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Take over' }).click();
  await expect(dialog).toBeVisible();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await isIn(petrova, 'other');
  await isIn(ivanov, 'mine');
});

test('the loser of a takeover is told at once, and keeps their text', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov', { permissions: ['clipboard-read', 'clipboard-write'] }), petrova = await knock('Petrova');
  await notes(ivanov).fill('two hours of work');
  await amount(ivanov).fill('50,000.00');
  await notes(ivanov).focus();
  await takeOver(petrova, 'The customer is on the phone');

  await isIn(ivanov, 'lost');
  await ivanov.keyboard.press('x');
  await expect(headline(ivanov)).toHaveText(/^Petrova took this over at\s\d?\d:\d\d$/);
  await expect(detail(ivanov)).toContainText('Reason: “The customer is on the phone”.');
  await expect(ivanov.getByRole('button', { name: 'Save' })).toBeDisabled();
  await expect(notes(ivanov)).toHaveValue(/^Delivery in two parts/);
  await expect(kept(ivanov)).toContainText('two hours of work');
  await expect(kept(ivanov)).toContainText('50,000.00');
  await ivanov.getByRole('button', { name: 'Copy: Notes' }).click();
  expect(await ivanov.evaluate(() => navigator.clipboard.readText())).toBe('two hours of work');

  await isIn(petrova, 'mine');
  await expect(notes(petrova)).toBeEditable();
  await expect(petrova.locator('#history')).toContainText('Petrova took over from Ivanov');

  await test.step('even over a reload, and puts it back when their turn comes', async () => {
    await ivanov.reload();
    await expect(kept(ivanov)).toContainText('two hours of work');
    await petrova.getByRole('link', { name: 'Close' }).click();
    await click(ivanov, 'Start editing');
    await click(ivanov, 'Put it into the form');
    await expect(notes(ivanov)).toHaveValue('two hours of work');
    await expect(amount(ivanov)).toHaveValue('50,000.00');
    await expect(kept(ivanov)).toBeHidden();
    await click(ivanov, 'Save');
    await expect(ivanov.getByText('Saved as version 2')).toBeVisible();
    expect((await stored(ivanov)).fields.note).toBe('two hours of work');
  });
});

test('text left behind can be thrown away', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await notes(ivanov).fill('not worth keeping');
  await takeOver(petrova, 'urgent');
  await expect(kept(ivanov)).toBeVisible();
  await click(ivanov, 'Discard');
  await expect(kept(ivanov)).toBeHidden();
  await ivanov.reload();
  await isIn(ivanov, 'other');
  await expect(kept(ivanov)).toBeHidden();
});

test('a takeover from the queue leaves the queue', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await queue(petrova);
  await expect(headline(petrova)).toHaveText('You are number 1 in the queue');
  await takeOver(petrova, 'urgent');
  await isIn(petrova, 'mine');
  await isIn(ivanov, 'lost');
  await expect(waiters(petrova)).toBeHidden();
});

test('a takeover from somebody who is not the holder any more is refused', async ({ edit, knock, api }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await petrova.route('**/v1/mutexes*', (route) => route.abort()); // her picture is old
  await click(petrova, 'Take over…');
  const { mutex } = await api('/v1/request', { mutex: contract });
  await api('/v1/takeover', { mutex: contract, seen_token: mutex.token, reason: 'faster', owner: { session: 's', name: 'Sidorova' } });
  await say(petrova, 'urgent', 'Take over');
  await expect(detail(petrova)).toContainText('Somebody was faster');
  await expect(headline(petrova)).toContainText('Sidorova has been editing');
  await isIn(ivanov, 'lost');
});

test('what people write stays text', async ({ edit, knock }) => {
  const probe = '<img src=x onerror="alert(1)">&lt;';
  const ivanov = await edit(`${probe} Ivanov`), petrova = await knock(`${probe} Petrova`);
  await expect(headline(petrova)).toContainText(`${probe} Ivanov has been editing`);
  await notes(ivanov).fill(`${probe} note`);
  await ivanov.getByRole('textbox', { name: 'Subject' }).fill(`${probe} subject`);
  await queue(petrova, `${probe} message`);
  await expect(waiters(ivanov)).toContainText(`${probe} message`);
  await click(ivanov, 'Save');
  await expect(ivanov.getByRole('heading', { level: 1 })).toHaveText(`${probe} subject`);
  await ivanov.getByRole('textbox', { name: 'Subject' }).fill(`${probe} unsaved`);
  await takeOver(petrova, `${probe} reason`);
  await expect(detail(ivanov)).toContainText(`${probe} reason`);
  await expect(kept(ivanov)).toContainText(`${probe} unsaved`);
  await isIn(petrova, 'mine');
  await expect(petrova.locator('#history')).toContainText(`${probe} reason`);
  await petrova.reload();
  await isIn(petrova, 'mine');
  await expect(petrova.getByRole('heading', { level: 1 })).toHaveText(`${probe} subject`);
  for (const page of [ivanov, petrova]) expect(await page.locator('img[src="x"]').count()).toBe(0);
  await expect(state(ivanov)).toHaveAttribute('state', /lost|other/);
});

test('a proxy that cuts waits off changes no place in the queue', async ({ edit, arrive, server, api }) => {
  const ivanov = await edit('Ivanov');
  const proxy = await nginx(new URL(server.url).origin, 2);
  try {
    const behind = new URL(new URL(server.contract).pathname, proxy.url).href;
    const names = ['Petrova', 'Sidorova'], pages = [];
    for (const name of names) {
      const page = await arrive(name);
      await page.goto(behind);
      await queue(page);
      pages.push(page);
    }
    const waiting = async () => (await api('/v1/request', { mutex: contract })).mutex.waiters.map((w) => w.owner.name);
    await expect.poll(waiting).toEqual(names);
    for (const end = Date.now() + 7000; Date.now() < end;) expect(await waiting()).toEqual(names);
    await ivanov.goto('about:blank');
    await isIn(pages[0], 'mine');
    await isIn(pages[1], 'waiting');
  } finally {
    await proxy.stop();
  }
});
