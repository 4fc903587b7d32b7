// Pages that only read, and must not be surprised by a change: <edit-lock sharing="shared">.

import { flawless } from './axe.mjs';
import { click, contract, detail, expect, headline, isIn, notes, say, state, test } from './office.mjs';

// The contract's page, as one that only reads.
const reading = (page, server) => page.route(server.contract, async (route) => {
  const answer = await route.fetch();
  await route.fulfill({ response: answer, body: (await answer.text()).replace('<edit-lock ', '<edit-lock sharing="shared" ') });
});

const read = async (page, server) => {
  await reading(page, server);
  await page.goto(server.contract);
  return page;
};

const held = async (api) => {
  const { mutex, holders } = await api('/v1/request', { mutex: contract });
  return holders ?? (mutex ? [mutex] : []);
};
const how = (api) => expect.poll(async () => (await held(api)).map((h) => `${h.owner.name} ${h.sharing}`).sort());
const offers = (page) => page.locator('#actions button');

test('people read together, and who wants to edit waits for them', async ({ arrive, knock, server, api }) => {
  const ivanov = await read(await arrive('Ivanov'), server);
  await isIn(ivanov, 'mine');
  await expect(headline(ivanov)).toHaveText(/^You have been reading this since\s\d?\d:\d\d$/);
  await expect(detail(ivanov)).toHaveText('Nobody can change it until you leave this page.');
  await expect(notes(ivanov)).not.toBeEditable();
  expect(await state(ivanov).evaluate((e) => e.editable)).toBe(false);

  const petrova = await read(await arrive('Petrova'), server);
  await isIn(petrova, 'mine');
  for (const [page, other] of [[ivanov, 'Petrova'], [petrova, 'Ivanov']]) {
    await expect(detail(page)).toHaveText(`Also reading: ${other}. Nobody can change it until you leave this page.`);
  }
  await how(api).toEqual(['Ivanov shared', 'Petrova shared']);

  const smith = await knock('Smith');
  await expect(headline(smith)).toHaveText(/^Ivanov has been reading this since\s\d?\d:\d\d$/);
  await expect(detail(smith)).toHaveText('Also reading: Petrova. You can read it, but not change it.');
  await expect(offers(smith)).toHaveText(['Wait in the queue']); // in the place of one reader nobody could edit
  await click(smith, 'Wait in the queue');
  await say(smith, 'A typo on page 2', 'Wait');
  await expect(headline(smith)).toHaveText('You are number 1 in the queue');
  await expect(detail(smith)).toHaveText(/^Also reading: Petrova. Ivanov has been reading since \d?\d:\d\d. If there is no answer, the document comes/);
  await expect(offers(smith)).toHaveText(['Stop waiting']);
  for (const page of [ivanov, petrova]) await expect(page.getByRole('region', { name: 'Waiting for you' })).toContainText('A typo on page 2');

  await click(ivanov, 'Make way now');
  await expect(headline(ivanov)).toHaveText('You made way for the next in the queue');
  await expect(detail(ivanov)).toContainText('Others can change it now.');
  await isIn(smith, 'waiting');
  await petrova.goto(server.office);
  await isIn(smith, 'mine');
  await expect(notes(smith)).toBeEditable();
  await how(api).toEqual(['Smith exclusive']);
});

test('a reader waits for who edits, and then reads the newest text', async ({ arrive, edit, server, api }) => {
  const smith = await edit('Smith'), ivanov = await read(await arrive('Ivanov'), server);
  await expect(headline(ivanov)).toHaveText(/^Smith has been editing this since/);
  await expect(detail(ivanov)).toHaveText('You can read it, but it may change meanwhile.');
  await click(ivanov, 'Wait in the queue');
  await say(ivanov, '', 'Wait');
  await isIn(ivanov, 'waiting');
  await notes(smith).fill('Agreed on Monday.');
  await click(smith, 'Save');
  await expect(smith.getByText('Saved as version 2')).toBeVisible();
  await smith.goto(server.office);
  await isIn(ivanov, 'mine');
  await expect(notes(ivanov)).toHaveValue('Agreed on Monday.');
  await expect(notes(ivanov)).not.toBeEditable();
  await how(api).toEqual(['Ivanov shared']);
});

test('who takes over from the only reader edits, and the reader is told why', async ({ arrive, knock, server, api }) => {
  const ivanov = await read(await arrive('Ivanov'), server);
  await isIn(ivanov, 'mine');
  const smith = await knock('Smith');
  await expect(offers(smith)).toHaveText(['Wait in the queue', 'Take over…']);
  await click(smith, 'Take over…');
  await expect(smith.getByRole('dialog')).toContainText('Ivanov is told at once. The reason goes into the history.');
  await say(smith, 'the printer waits', 'Take over');
  await isIn(smith, 'mine');
  await expect(notes(smith)).toBeEditable();
  await how(api).toEqual(['Smith exclusive']);
  await expect(headline(ivanov)).toHaveText(/^Smith took your place at/);
  await expect(detail(ivanov)).toHaveText('Reason: “the printer waits”. Others can change it now.');
});

test('a reader who continues in another tab, or loads the page again, still shares it', async ({ arrive, server, api }) => {
  const first = await read(await arrive('Ivanov'), server);
  await isIn(first, 'mine');
  const petrova = await read(await arrive('Petrova'), server);
  await isIn(petrova, 'mine');
  const second = await read(await first.context().newPage(), server);
  await expect(headline(second)).toHaveText(/^You have been reading this in another tab since/);
  await click(second, 'Continue here');
  await isIn(second, 'mine');
  await expect(headline(first)).toHaveText(/^You continued this in another tab at/);
  await how(api).toEqual(['Ivanov shared', 'Petrova shared']);

  const { token } = (await held(api)).find((h) => h.owner.name === 'Ivanov');
  await second.reload();
  await isIn(second, 'mine');
  await how(api).toEqual(['Ivanov shared', 'Petrova shared']);
  expect((await held(api)).find((h) => h.owner.name === 'Ivanov').token).toBe(token);
});

test('a page goes from reading to editing and back by its attribute', async ({ arrive, server, api }) => {
  const page = await read(await arrive('Ivanov'), server);
  await isIn(page, 'mine');
  await how(api).toEqual(['Ivanov shared']);
  await state(page).evaluate((e) => e.removeAttribute('sharing'));
  await expect(notes(page)).toBeEditable();
  await how(api).toEqual(['Ivanov exclusive']);
  await notes(page).fill('half a sentence');
  await state(page).evaluate((e) => e.setAttribute('sharing', 'shared'));
  await expect(headline(page)).toHaveText(/^You have been reading this/);
  await how(api).toEqual(['Ivanov shared']);
  await expect(notes(page)).not.toBeEditable();
  await expect(notes(page)).not.toHaveValue('half a sentence'); // what is shown is what is stored
  await expect(page.getByRole('region', { name: 'Your unsaved text' })).toContainText('half a sentence');
});

test('another sharing than there is is named', async ({ arrive, server }) => {
  const page = await arrive('Ivanov');
  await page.goto(server.contract);
  await isIn(page, 'mine');
  await state(page).evaluate((e) => e.setAttribute('sharing', 'share'));
  await isIn(page, 'error');
  await expect(headline(page)).toHaveText(/sharing.*share.*exclusive and shared/);
});

test('по-русски: читают вместе, и страницы доступны', async ({ arrive, server }) => {
  const russian = { locale: 'ru-RU' };
  const ivanov = await read(await arrive('Иванов', russian), server);
  await expect(headline(ivanov)).toHaveText(/^Вы читаете с\s\d?\d:\d\d$/);
  const petrova = await read(await arrive('Петрова', russian), server);
  await expect(detail(ivanov)).toHaveText('Читают также: Петрова. Пока вы на этой странице, документ никто не изменит.');
  const smith = await arrive('Смит', russian);
  await smith.goto(server.contract);
  await expect(headline(smith)).toHaveText(/^Иванов читает с\s\d?\d:\d\d$/);
  await click(smith, 'Встать в очередь');
  await say(smith, 'Опечатка', 'Ждать');
  await expect(ivanov.getByRole('button', { name: 'Уступить сейчас' })).toBeVisible();
  for (const page of [ivanov, petrova, smith]) await flawless(page, 'a page that reads');
});
