// For everybody: keyboards, screen readers, small screens, dark rooms.

import { flawless } from './axe.mjs';
import { click, detail, expect, headline, isIn, notes, say, test } from './office.mjs';

test.describe('axe finds nothing wrong', () => {
  test('while nobody holds anything', async ({ browser, server, arrive }) => {
    const stranger = await browser.newPage();
    await stranger.goto(server.office);
    await flawless(stranger, 'welcome');
    await stranger.close();
    await flawless(await arrive('Sidorova'), 'guide');
  });

  test('where one is refused', async ({ edit, knock, server }) => {
    const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
    await flawless(ivanov, 'editing');
    await flawless(petrova, 'refused');
    const second = await ivanov.context().newPage();
    await second.goto(server.contract);
    await isIn(second, 'self');
    await flawless(second, 'second tab');
  });

  test('in the queue, and around it', async ({ edit, knock }) => {
    const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
    await click(petrova, 'Wait in the queue');
    await flawless(petrova, 'dialog');
    await say(petrova, 'May I?', 'Wait');
    await expect(headline(petrova)).toContainText('number 1');
    await flawless(petrova, 'waiting');
    await expect(ivanov.getByRole('region', { name: 'Waiting for you' })).toBeVisible();
    await flawless(ivanov, 'somebody waits');
  });

  test('after a takeover', async ({ edit, knock }) => {
    const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
    await notes(ivanov).fill('unsaved');
    await click(petrova, 'Take over…');
    await say(petrova, 'urgent', 'Take over');
    await expect(ivanov.getByRole('region', { name: 'Your unsaved text' })).toBeVisible();
    await flawless(ivanov, 'lost');
    await petrova.getByRole('link', { name: 'Close' }).click();
    await expect(ivanov.getByRole('button', { name: 'Start editing' })).toBeVisible();
    await flawless(ivanov, 'lost and free');
  });
});

test('the keyboard is enough', async ({ browser, server, knock }) => {
  const context = await browser.newContext();
  const ivanov = await context.newPage();
  const press = async (page, ...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const banner = (page) => page.locator('#banner');
  // tabTo presses Tab until what has the focus is the one named.
  const tabTo = async (page, role, name) => {
    const target = page.getByRole(role, { name, exact: true });
    for (let i = 0; i < 60; i++) {
      await press(page, 'Tab');
      if (await target.evaluateAll((found) => {
        let e = document.activeElement;
        while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
        return found.includes(e);
      })) return;
    }
    throw new Error(`Tab never reaches ${role} ${name}`);
  };

  await ivanov.goto(server.contract);
  await tabTo(ivanov, 'button', 'Pavel Ivanov');
  await press(ivanov, 'Enter');
  await isIn(ivanov, 'mine');
  await tabTo(ivanov, 'link', 'Skip to the document');
  await press(ivanov, 'Enter');
  await tabTo(ivanov, 'textbox', 'Notes');
  await press(ivanov, 'Control+End');
  await ivanov.keyboard.type(' By keys alone.');
  await press(ivanov, 'Control+s');
  await expect(ivanov.getByText('Saved as version 2')).toBeVisible();

  const petrova = await knock('Petrova');
  await tabTo(petrova, 'button', 'Wait in the queue');
  await press(petrova, 'Enter');
  await expect(petrova.locator('#ask-text')).toBeFocused();
  await petrova.keyboard.type('May I?');
  await tabTo(petrova, 'button', 'Wait');
  await press(petrova, 'Enter');
  await isIn(petrova, 'waiting');
  // The button she pressed is gone: her focus is where the news is.
  await expect(banner(petrova)).toBeFocused();

  await expect(ivanov.getByRole('region', { name: 'Waiting for you' })).toBeVisible();
  await press(ivanov, 'Shift+Tab');
  await tabTo(ivanov, 'link', 'Close');
  await banner(ivanov).focus();
  await tabTo(ivanov, 'button', 'Not now: answer Petrova');
  await press(ivanov, 'Enter');
  await press(ivanov, 'Escape');
  await expect(ivanov.getByRole('dialog')).toBeHidden();
  await expect(ivanov.getByRole('button', { name: 'Not now: answer Petrova' })).toBeFocused();
  await isIn(petrova, 'waiting');
  await banner(ivanov).focus();
  await tabTo(ivanov, 'button', 'Hand over now');
  await press(ivanov, 'Space');
  await isIn(petrova, 'mine');
  await expect(headline(ivanov)).toContainText('You handed this over to Petrova');
  await expect(banner(ivanov)).toBeFocused();
  await context.close();
});

test('news is read out: politely, or at once when the lock is lost', async ({ edit, knock }) => {
  const ivanov = await edit('Ivanov'), petrova = await knock('Petrova');
  await expect(petrova.getByRole('status').filter({ hasText: 'Ivanov has been editing' })).toHaveAttribute('aria-live', 'polite');
  await click(petrova, 'Take over…');
  await say(petrova, 'urgent', 'Take over');
  await isIn(ivanov, 'lost');
  await expect(ivanov.getByRole('status').filter({ hasText: 'Petrova took this over' })).toHaveAttribute('aria-live', 'assertive');
});

test('a phone shows all of it, without scrolling sideways', async ({ edit, knock, arrive }) => {
  const phone = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
  const long = 'Konstantin Konstantinopolsky-Dobrovolsky of the Export Office';
  const fits = async (page) => expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await fits(await arrive(`${long.slice(0, 50)}`, phone));
  const ivanov = await edit(long.slice(0, 60), phone), petrova = await knock('Petrova', phone);
  await fits(ivanov);
  await fits(petrova);
  await click(petrova, 'Wait in the queue');
  await fits(petrova);
  await say(petrova, 'W'.repeat(200), 'Wait');
  await expect(detail(ivanov)).toContainText('Waiting for you: 1.');
  await notes(ivanov).fill('M'.repeat(300));
  await fits(ivanov);
  await click(petrova, 'Take over…');
  await say(petrova, 'W'.repeat(200), 'Take over');
  await isIn(ivanov, 'lost');
  await expect(ivanov.getByRole('region', { name: 'Your unsaved text' })).toBeVisible();
  await fits(ivanov);
  await ivanov.getByRole('link', { name: 'All documents' }).click();
  await expect(ivanov.getByRole('heading', { name: 'Documents' })).toBeVisible();
  await fits(ivanov);
});
