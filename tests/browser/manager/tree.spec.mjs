// Names that are above and below each other: the tree, and what is done to all of it.

import { flawless } from '../axe.mjs';
import { expect, owner, row, rows, test } from './manager.mjs';

const branch = (page, name) => page.getByRole('listitem').filter({ has: page.locator(':scope > .branch', { hasText: name }) }).last();

async function office(hold) {
  await hold('Ivanov', 'crm/contract/7#address');
  await hold('Petrova', 'crm/contract/7#lines');
  await hold('Ivanov', 'crm/contract/8');
  await hold('Smith', 'crm/invoice/');
  for (const name of ['Chen', 'Kim']) await hold(name, 'etl/import/nightly', { limit: 3 });
}

for (const options of [{}, { locale: 'ru-RU', viewport: { width: 390, height: 844 } }]) {
  const russian = Boolean(options.locale);
  test(`the tree unfolds by keys and follows what happens ${russian ? 'on a phone, in Russian' : 'on a desk'}`, async ({ hold, read }) => {
    test.slow(); // axe runs four times
    await office(hold);
    const page = await read('Petrova', options);
    await page.getByRole('link', { name: russian ? 'Дерево' : 'Tree', exact: true }).click();
    const fold = (name) => page.locator('a.fold', { hasText: name });
    await expect(fold('crm')).toHaveAttribute('aria-expanded', 'false');
    await expect(fold('crm')).toHaveText(russian ? 'crm блокировок: 4' : 'crm locks: 4');
    await flawless(page, 'the folded tree');

    await fold('crm').focus();
    await page.keyboard.press('ArrowRight');
    await expect(fold('crm')).toHaveAttribute('aria-expanded', 'true');
    await expect(fold('crm')).toBeFocused();
    await page.keyboard.press('ArrowRight'); // into it
    await expect(fold('contract')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(fold('contract')).toHaveAttribute('aria-expanded', 'true');
    await fold(russian ? 'частей: 2' : 'parts: 2').press('ArrowRight');
    await expect(branch(page, '#address').locator('.owner')).toHaveText('Ivanov');
    await expect(branch(page, '#lines').locator('.you')).toBeVisible();
    await fold('etl').click();
    await fold('import').click();
    await expect(branch(page, 'nightly').locator('.share')).toHaveText(russian ? 'держат 2 из 3' : '2 of 3 hold it');
    await expect(branch(page, 'nightly').locator('.owner')).toHaveText(['Chen', 'Kim']);
    await flawless(page, 'the tree');

    await fold('contract').focus();
    await hold('Kim', 'crm/contract/9'); // the page follows, and the focus stays
    await expect(fold('contract')).toContainText('4');
    await expect(branch(page, '9').locator('.owner')).toHaveText('Kim');
    await expect(fold('contract')).toBeFocused();
    await page.keyboard.press('ArrowLeft');
    await expect(fold('contract')).toHaveAttribute('aria-expanded', 'false');
    await page.keyboard.press('ArrowLeft'); // out of it
    await expect(fold('crm')).toBeFocused();
    await page.reload();
    await expect(fold('crm')).toHaveAttribute('aria-expanded', 'true');
  });
}

test('the tree unfolds without scripts', async ({ hold, read }) => {
  await office(hold);
  const page = await read('', { javaScriptEnabled: false });
  await page.getByRole('link', { name: 'Tree', exact: true }).click();
  for (const name of ['crm', 'contract', 'parts: 2']) await page.locator('a.fold', { hasText: name }).click();
  await page.getByRole('link', { name: '#address' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('7#address');
  await page.getByRole('link', { name: 'In the tree' }).click();
  await expect(page.getByRole('link', { name: '#address' })).toBeVisible();
  await page.locator('a.fold', { hasText: 'crm' }).click();
  await expect(page.locator('a.fold')).toHaveCount(2);
});

test('all of a type is released with what is below it, or alone', async ({ hold, read, server, api }) => {
  test.slow(); // axe runs six times
  await hold('Import', 'crm/contract/');
  await hold('Import', 'crm/contract/7');
  await hold('Import', 'crm/contract/7#lines');
  await hold('Ivanov', 'crm/invoice/1');
  const page = await read('Petrova');
  await expect(page.locator('tbody .what a')).toHaveText(['all of contract', '7', '7#lines', '1']);
  await flawless(page, 'the list');
  await page.getByRole('link', { name: 'all of contract' }).click();
  await flawless(page, 'all of a type');
  await page.locator('#release').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Release the lock on all of contract?');
  await flawless(page, 'the question');
  await page.getByRole('button', { name: 'Release all below, too (2)…' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Release 3 locks?');
  await page.locator('#reason').fill('a new import');
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await expect(page.locator('.done')).toHaveText('Released: 3.');
  const { entries } = await api('/v1/history?kind=force_released');
  expect(entries.map(({ mutex: m, reason }) => `${m.mode}/${m.id ?? ''}#${m.part ?? ''} ${reason}`).sort()).toEqual(
    ['contract/# a new import', 'contract/7# a new import', 'contract/7#lines a new import'],
  );
  await page.goto(server.url);
  await expect(rows(page)).toHaveCount(1);
});

test('a person takes over from an agent with one click', async ({ hold, read, api }) => {
  test.slow(); // axe runs four times
  const kinds = { kind: 'agent', on_behalf_of: 'Ivanov' };
  await hold('Assistant', 'crm/contract/7', { owner: { ...owner('Assistant'), ...kinds } });
  await hold('Ivanov', 'crm/contract/8');
  const page = await read('Petrova');
  await expect(row(page, '7').locator('.who')).toContainText('agent for Ivanov');
  await flawless(page, 'the list');
  await page.getByRole('link', { name: 'Assistant' }).click();
  await expect(page.locator('.eyebrow')).toHaveText('Agent');
  await flawless(page, 'an agent');
  await page.goBack();
  await row(page, '7').getByRole('button', { name: 'Take over' }).click();
  await expect(page.locator('.done')).toHaveText('Taken over: 1.');
  await expect(row(page, '7').locator('.you')).toBeVisible();
  const { entries } = await api('/v1/history?kind=taken_over');
  expect(entries.map((e) => [e.other.kind, e.reason])).toEqual([['agent', 'A person takes over from the agent.']]);
});
