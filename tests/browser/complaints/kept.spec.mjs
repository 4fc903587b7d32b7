// "Kept in this browser": only what is there after a reload.

import { expect as soon, isIn, kept, mutex, test, text } from './site.mjs';

// Millions of characters take their time on a busy machine.
test.setTimeout(400_000);
const expect = soon.configure({ timeout: 90_000 });

const ivanov = { name: 'Ivanov', session: 'ivanov', user: 'ivanov' };
const petrova = { session: 'petrova', user_id: 'petrova', name: 'Petrova' };
const length = 6_000_000;

const takeOver = async (site) => site.editlock('/v1/takeover', { mutex: mutex('1'), owner: petrova, seen_token: (await site.holder('1')).token, reason: 'urgent' });

// Nobody types six million characters one by one.
const put = (page, characters) => page.evaluate((n) => {
  const field = document.getElementById('text');
  field.value = 'word '.repeat(n / 5);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}, characters);

async function restored(page, site) {
  await site.editlock('/v1/release', { mutex: mutex('1'), owner: petrova });
  await page.getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  await page.getByRole('button', { name: 'Put it into the form' }).click();
}

test('six million characters that were lost to another are there after a reload', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await put(page, length);
  await takeOver(site);
  await isIn(page, 'lost');
  await expect(kept(page)).toContainText('Kept in this browser');
  await page.reload();
  await isIn(page, 'other');
  await expect(kept(page)).toContainText('Kept in this browser');
  await restored(page, site);
  await expect.poll(() => text(page).evaluate((e) => e.value.length)).toBe(length);
  await expect(kept(page)).toBeHidden();
});

test('of a page that was killed, too, and of another tab', async ({ site, visit }) => {
  const page = await visit(ivanov), context = page.context();
  await isIn(page, 'mine');
  const second = await visit(ivanov, '1', { context });
  await isIn(second, 'self');
  await put(page, length);
  await expect.poll(() => page.evaluate(async () => {
    const open = indexedDB.open('editlock');
    const database = await new Promise((done) => { open.onsuccess = () => done(open.result); });
    const all = database.transaction('texts').objectStore('texts').count();
    return new Promise((done) => { all.onsuccess = () => done(all.result); });
  })).toBe(1);
  await page.close({ runBeforeUnload: false });
  await second.getByRole('button', { name: /Continue here|Start editing/ }).click();
  await isIn(second, 'mine');
  await expect(kept(second)).toContainText('Kept in this browser');
  await second.getByRole('button', { name: 'Put it into the form' }).click();
  await expect.poll(() => text(second).evaluate((e) => e.value.length)).toBe(length);
  await kept(second).waitFor({ state: 'hidden' });
});

test('where the local storage is full, another place is found', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await page.evaluate(() => {
    let block = 'x'.repeat(1 << 22);
    for (let n = 0; block; n++) {
      try {
        localStorage.setItem(`full${n}`, block);
      } catch {
        block = block.slice(0, block.length / 2);
      }
    }
  });
  await text(page).fill('half a sentence');
  await takeOver(site);
  await isIn(page, 'lost');
  await expect(kept(page)).toContainText('Kept in this browser');
  await page.reload();
  await isIn(page, 'other');
  await expect(kept(page)).toContainText('half a sentence');
  await expect(kept(page)).toContainText('Kept in this browser');
  await restored(page, site);
  await expect(text(page)).toHaveValue('half a sentence');
});

test('what was discarded stays away', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  await put(page, length);
  await takeOver(site);
  await expect(kept(page)).toContainText('Kept in this browser');
  const second = await visit(ivanov, '1', { context: page.context() });
  await expect(kept(second)).toBeVisible();
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(kept(page)).toBeHidden();
  await expect(kept(second)).toBeHidden();
  await page.reload();
  await isIn(page, 'other');
  await expect(kept(page)).toBeHidden();
});
