// Two people in one browser: the person shown is the one who edits.

import { expect, isIn, kept, lock, test, text } from './site.mjs';

const ivanov = { name: 'Ivanov', user: 'ivanov' };
const petrova = { name: 'Petrova', user: 'petrova' };

test('two people in two tabs of one browser are two', { tag: '@firefox' }, async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const other = await visit(petrova, '1', { context: page.context() });
  await isIn(other, 'other');
  await expect(lock(other).locator('#headline')).toContainText('Ivanov has been editing this');
  await other.getByRole('button', { name: 'Take over…' }).click();
  const dialog = other.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Take over' }).click();
  await expect(dialog).toBeVisible(); // not without a reason
  await dialog.getByRole('textbox').fill('urgent');
  await dialog.getByRole('button', { name: 'Take over' }).click();
  await isIn(other, 'mine');
  await isIn(page, 'lost');
  await expect(lock(page).locator('#headline')).toContainText('Petrova took this over');
  expect((await site.holder('1')).owner).toMatchObject({ user_id: 'petrova', name: 'Petrova' });
});

for (const [about, session] of [['a session each', {}], ['one session of the application', { session: 'desk' }]]) {
  test(`who logs in as somebody else edits as them, with ${about}`, async ({ site, visit }) => {
    const page = await visit({ ...ivanov, ...session });
    await isIn(page, 'mine');
    await text(page).fill('of Ivanov');
    await page.goto(site.page('1', { ...petrova, ...session })); // within the grace time
    await isIn(page, 'mine');
    expect((await site.holder('1')).owner).toMatchObject({ user_id: 'petrova', name: 'Petrova' });
    await expect(text(page)).toHaveValue('as it was');
    await expect(kept(page)).toBeHidden();
    const [first, ...rest] = await site.history('1');
    expect(first.owner.user_id).toBe('ivanov');
    expect(rest.at(-1)).toMatchObject({ kind: 'captured', owner: { user_id: 'petrova' } });
  });

  test(`a page that shows somebody else by now edits as them, with ${about}`, async ({ site, visit }) => {
    const page = await visit({ ...ivanov, ...session });
    await isIn(page, 'mine');
    // Loading it again would show who was shown by the server.
    await page.evaluate(() => { document.querySelector('edit-lock').reload = async () => () => { document.getElementById('text').value = 'as it was'; }; });
    await text(page).fill('of Ivanov');
    await page.evaluate(() => {
      for (const [name, value] of [['user', 'petrova'], ['name', 'Petrova']]) document.querySelector('edit-lock').setAttribute(name, value);
    });
    await expect.poll(async () => (await site.holder('1'))?.owner.user_id).toBe('petrova');
    await isIn(page, 'mine');
    await expect(text(page)).toHaveValue('as it was');
    await expect(kept(page)).toBeHidden();
    await page.evaluate(() => {
      for (const [name, value] of [['user', 'ivanov'], ['name', 'Ivanov']]) document.querySelector('edit-lock').setAttribute(name, value);
    });
    await expect.poll(async () => (await site.holder('1'))?.owner.user_id).toBe('ivanov');
    await expect(kept(page)).toContainText('of Ivanov');
  });
}

test('who reloads is the same person', async ({ site, visit }) => {
  const page = await visit(ivanov);
  await isIn(page, 'mine');
  const { token } = await site.holder('1');
  await page.reload();
  await isIn(page, 'mine');
  expect((await site.holder('1')).token).toBe(token);
});
