// Two people, two tabs, one document.

import { card, click, contract, detail, expect, headline, isIn, notes, state, stored, test } from './office.mjs';

const fields = ['Subject', 'Other party', 'Amount', 'Due', 'Notes'];

test('a second person is refused, and told who edits and since when', { tag: '@firefox' }, async ({ edit, knock, api }) => {
  const ivanov = await edit('Ivanov');
  const { mutex } = await api('/v1/request', { mutex: contract });
  const petrova = await knock('Petrova');

  await expect(headline(petrova)).toHaveText(/^Ivanov has been editing this since\s\d?\d:\d\d$/);
  await expect(headline(petrova).locator('time')).toHaveAttribute('datetime', new Date(mutex.captured_at).toISOString());
  await expect(card(petrova)).toContainText('Ivanov, since');
  await expect(card(ivanov)).toContainText('You, since');
  for (const name of fields) await expect(petrova.getByLabel(name)).not.toBeEditable();
  await expect(petrova.getByLabel('Status')).toBeDisabled();
  await expect(petrova.getByRole('button', { name: 'Save' })).toBeDisabled();
  for (const name of fields) await expect(ivanov.getByLabel(name)).toBeEditable();
  await expect(ivanov.getByLabel('Status')).toBeEnabled();
});

test('the list shows who holds what, as it happens', async ({ arrive, server }) => {
  const petrova = await arrive('Petrova'), ivanov = await arrive('Ivanov');
  await expect(card(petrova)).toContainText('Free');
  await ivanov.goto(server.contract);
  await expect(card(petrova)).toContainText('Ivanov, since');
  await ivanov.getByRole('link', { name: 'Close' }).click();
  await expect(card(petrova)).toContainText('Free');
});

test('leaving the page lets the other in, with the newest text', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await notes(ivanov).fill('Agreed on Monday.');
  await click(ivanov, 'Save');
  await expect(ivanov.getByText('Saved as version 2')).toBeVisible();
  await ivanov.close({ runBeforeUnload: true });

  await expect(headline(petrova)).toHaveText('Nobody is editing this now');
  await expect(notes(petrova)).toHaveValue('Agreed on Monday.');
  await expect(notes(petrova)).not.toBeEditable();
  await click(petrova, 'Start editing');
  await isIn(petrova, 'mine');
  await expect(notes(petrova)).toBeEditable();
});

test('the same person in a second tab is told so, and can continue there', async ({ edit, server }) => {
  const first = await edit('Ivanov');
  await notes(first).fill('half a sentence');
  const second = await first.context().newPage();
  await second.goto(server.contract);
  await expect(headline(second)).toHaveText(/^You have been editing this in another tab since\s\d?\d:\d\d$/);
  await expect(notes(second)).not.toBeEditable();
  await isIn(first, 'mine');
  await expect(notes(first)).toHaveValue('half a sentence');

  await click(second, 'Continue here');
  await isIn(second, 'mine');
  await expect(headline(first)).toHaveText(/^You continued this in another tab at/);
  await expect(notes(first)).not.toBeEditable();

  await expect(second.getByRole('region', { name: 'Your unsaved text' })).toContainText('half a sentence');
  await click(second, 'Put it into the form');
  await expect(notes(second)).toHaveValue('half a sentence');
  await click(second, 'Save');
  await expect(second.getByText('Saved as version 2')).toBeVisible();
});

test('a duplicated tab is another tab', async ({ edit }) => {
  const first = await edit('Ivanov');
  // As browsers duplicate a tab: with a copy of its session storage.
  const [second] = await Promise.all([first.waitForEvent('popup'), first.evaluate(() => { open(location.href); })]);
  await isIn(second, 'self');
  await isIn(first, 'mine');
});

test('a reload is the same tab', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await ivanov.reload();
  await isIn(ivanov, 'mine');
  await expect(headline(petrova)).toContainText('Ivanov has been editing');
});

test('a reload is the same tab even if its release comes late, or never', async ({ edit, knock, api, request, server }) => {
  const ivanov = await edit('Ivanov');
  await ivanov.evaluate(() => {
    navigator.sendBeacon = (path, body) => path.endsWith('/v1/release') && localStorage.setItem('late', body);
  });
  const first = await api('/v1/request', { mutex: contract });
  await ivanov.reload();
  await isIn(ivanov, 'mine');
  const late = await ivanov.evaluate(() => localStorage.getItem('late'));
  const released = await request.post(new URL('/v1/release', server.url).href, { headers: { 'Content-Type': 'text/plain' }, data: late });
  expect(await released.json()).toEqual({ released: false });
  const { mutex } = await api('/v1/request', { mutex: contract });
  expect(mutex.token).toBe(first.mutex.token);
  await knock('Petrova');
  await isIn(ivanov, 'mine');
});

test('a save with a stale token is refused, and the document stays as it was', async ({ arrive, knock, server, api }) => {
  const ivanov = await arrive('Ivanov');
  await ivanov.route(/\/v1\/(events|mutexes|refresh)/, (route) => route.abort()); // they hear of nothing
  await ivanov.goto(server.contract);
  await isIn(ivanov, 'mine');
  const before = await stored(ivanov);
  const petrova = await knock('Petrova');
  const { mutex } = await api('/v1/request', { mutex: contract });
  await api('/v1/takeover', { mutex: contract, seen_token: mutex.token, reason: 'urgent', owner: { session: 's', name: 'Sidorova' } });

  await notes(ivanov).fill('written too late');
  const [refusal] = await Promise.all([ivanov.waitForResponse('**/demo/api/documents/contract-2417'), click(ivanov, 'Save')]);
  expect(refusal.status()).toBe(409);
  expect(await refusal.json()).toMatchObject({ code: 'lost', how: 'taken_over', reason: 'urgent', by: { name: 'Sidorova' } });
  await expect(ivanov.getByText('Not saved: you no longer hold this document')).toBeVisible();
  await expect(headline(ivanov)).toContainText('Sidorova took this over at');
  await expect(notes(ivanov)).not.toBeEditable();
  await expect(ivanov.getByRole('region', { name: 'Your unsaved text' })).toContainText('written too late');
  expect(await stored(petrova)).toEqual(before);
});

test('the history of a document tells who, when and what', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov');
  await notes(ivanov).fill('first');
  await ivanov.keyboard.press('Control+s');
  await expect(ivanov.getByText('Saved as version 2')).toBeVisible();
  const petrova = await knock('Petrova');
  await ivanov.getByRole('link', { name: 'Close' }).click();
  await click(petrova, 'Start editing');
  await isIn(petrova, 'mine');
  const lines = petrova.locator('#history li .what');
  await expect(lines).toHaveText(['Petrova started editing', 'Ivanov stopped editing', 'Ivanov saved version 2', 'Ivanov started editing']);
  await expect(petrova.locator('#history time')).toHaveCount(4);
  await expect(petrova.locator('#version')).toContainText('Version 2, saved by Ivanov at');
});

test.describe('with an idle time of four seconds', () => {
  test.use({ idle: '4s' });

  test('an open page keeps its lock for longer than that', async ({ edit, knock, api }) => {
    const ivanov = await edit('Ivanov');
    const first = await api('/v1/request', { mutex: contract });
    await expect.poll(async () => {
      const { mutex } = await api('/v1/request', { mutex: contract });
      expect(mutex.token).toBe(first.mutex.token);
      return new Date(mutex.refreshed_at) - new Date(mutex.captured_at);
    }).toBeGreaterThan(8000);
    await isIn(ivanov, 'mine');
    await knock('Petrova');
  });

  test('a browser that died blocks nobody for longer', async ({ edit, knock }) => {
    const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
    await ivanov.context().setOffline(true);
    await ivanov.context().close();
    await expect(headline(petrova)).toHaveText('Nobody is editing this now');
    await expect(petrova.locator('#history')).toContainText('Ivanov left or lost the connection');
  });

  test('without a connection the page says so, stops in time, and goes on afterwards', async ({ edit }) => {
    const ivanov = await edit('Ivanov');
    await notes(ivanov).fill('typed before the cut');
    await ivanov.context().setOffline(true);
    await expect(detail(ivanov)).toContainText('No connection');
    await isIn(ivanov, 'checking');
    await expect(notes(ivanov)).not.toBeEditable();
    await expect(ivanov.getByText('No connection to the server')).toBeVisible();
    await ivanov.context().setOffline(false);
    await isIn(ivanov, 'mine');
    await expect(detail(ivanov)).toContainText('Nobody changed the document');
    await expect(notes(ivanov)).toHaveValue('typed before the cut');
    await click(ivanov, 'Save');
    await expect(ivanov.getByText('Saved as version 2')).toBeVisible();
  });

  test('who comes back after another has edited loses the lock, and not the text', async ({ edit, knock }) => {
    const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
    await notes(ivanov).fill('typed before the cut');
    await ivanov.context().setOffline(true);
    await click(petrova, 'Start editing');
    await isIn(petrova, 'mine');
    await notes(petrova).fill('written meanwhile');
    await click(petrova, 'Save');
    await expect(petrova.getByText('Saved as version 2')).toBeVisible();
    await petrova.getByRole('link', { name: 'Close' }).click();

    await ivanov.context().setOffline(false);
    await isIn(ivanov, 'lost');
    await expect(headline(ivanov)).toContainText('had not heard from this page for too long');
    await expect(ivanov.getByRole('region', { name: 'Your unsaved text' })).toContainText('typed before the cut');
    await expect(notes(ivanov)).toHaveValue('written meanwhile');
    await expect(notes(ivanov)).not.toBeEditable();
  });

  test('after a sleep no keystroke is taken before the lock is known to be held', async ({ edit }) => {
    const ivanov = await edit('Ivanov');
    await notes(ivanov).focus();
    // What a sleep looks like from inside: no timer fires, and the clock has
    // moved on.
    await ivanov.route('**/v1/refresh', () => {});
    await ivanov.evaluate(() => {
      const { now } = Date;
      Date.now = () => now() + 60_000;
    });
    const before = await notes(ivanov).inputValue();
    await ivanov.keyboard.press('x');
    await expect(state(ivanov)).toHaveAttribute('state', 'checking');
    await expect(notes(ivanov)).toHaveValue(before);
  });
});
