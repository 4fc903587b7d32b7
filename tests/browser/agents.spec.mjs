// Programs that edit for somebody: they are shown as what they are, and make way for people.

import { flawless } from './axe.mjs';
import { click, contract, detail, expect, headline, isIn, say, state, test } from './office.mjs';

const offers = (page) => page.locator('#actions button');
const assistant = { session: 'a1', name: 'Import', kind: 'agent', on_behalf_of: 'Anna' };
const hold = async (api, owner) => (await api('/v1/capture', { mutex: contract, owner })).mutex.token;

test('an agent is shown as one, and a person takes its lock by one key', { tag: '@firefox' }, async ({ arrive }) => {
  const anna = await arrive('Anna');
  await anna.getByRole('button', { name: 'Let an assistant edit the price list' }).focus();
  await anna.keyboard.press('Enter');
  await expect(headline(anna)).toHaveText(/^Assistant \(agent for Anna\) has been editing this since\s\d?\d:\d\d$/);
  await expect(offers(anna)).toHaveText(['Take over', 'Wait in the queue']);
  await expect(anna.locator('.card', { hasText: 'Price list 12' })).toContainText('Assistant (agent for Anna), since');
  await flawless(anna, 'an agent edits');

  await offers(anna).first().focus();
  await anna.keyboard.press('Enter');
  await isIn(anna, 'mine');
  await expect(anna.getByRole('dialog')).toBeHidden();
  await expect(anna.locator('#history li').first()).toContainText('Anna took over from Assistant (agent for Anna)');
  await expect(anna.locator('#history li').first()).toContainText('A person takes over from the agent.');
});

test('the agent is told who took over, and why', async ({ knock, api }) => {
  const token = await hold(api, assistant), boris = await knock('Boris');
  await click(boris, 'Take over');
  await isIn(boris, 'mine');
  const { results: [told] } = await api('/v1/refresh', { owner: assistant, items: [{ mutex: contract, token }] });
  expect([told.code, told.how, told.by.name, told.reason]).toEqual(['lost', 'taken_over', 'Boris', 'A person takes over from the agent.']);
  const back = await api('/v1/takeover', { mutex: contract, owner: assistant, seen_token: told.holder.token, reason: 'mine' });
  expect(back.code).toBe('held_by_person');
});

test('an agent that waits is shown as one to the holder', async ({ edit, request, server }) => {
  const anna = await edit('Anna');
  await request.post(new URL('/v1/capture', server.url).href, {
    data: { mutex: contract, owner: assistant, wait: '60s', message: 'two rows are left' },
    headers: { 'Idempotency-Key': 'one', Prefer: 'respond-async, wait=1' },
  });
  const panel = anna.getByRole('region', { name: 'Waiting for you' });
  await expect(panel).toContainText('Import (agent for Anna) since');
  await expect(panel).not.toContainText('passes at'); // no promise of a person is for agents
  await click(anna, 'Not now: answer Import');
  await expect(anna.getByRole('dialog')).toContainText('Import (agent for Anna) leaves the queue');
});

test('an agent with its person’s own session and user is not that person', async ({ arrive, server, api }) => {
  const anna = await arrive('Anna');
  await anna.goto(server.contract);
  await isIn(anna, 'mine');
  const { session, user } = await anna.evaluate(() => document.body.dataset);
  await anna.goto(server.office);
  await expect.poll(() => hold(api, { ...assistant, session, user_id: user }).catch(() => 0)).toBeGreaterThan(0);
  await anna.goto(server.contract);
  await isIn(anna, 'other');
  await expect(headline(anna)).toContainText('Import (agent for Anna) has been editing');
  await expect(anna.locator('.card', { hasText: 'Contract 2417' })).toContainText('Import (agent for Anna), since');
  await click(anna, 'Take over');
  await isIn(anna, 'mine');
});

test('of a job the reason is asked for, and a server that does not let go says so', async ({ knock, api }) => {
  const token = await hold(api, { session: 'j1', name: 'Nightly import', kind: 'job' }), boris = await knock('Boris');
  await expect(headline(boris)).toHaveText(/^Nightly import \(job\) has been editing/);
  await expect(offers(boris)).toHaveText(['Wait in the queue', 'Take over…']);
  await click(boris, 'Take over…');
  await expect(boris.getByRole('dialog')).toContainText('Nightly import (job) is told at once');
  await click(boris, 'Cancel');
  await api('/v1/release', { mutex: contract, owner: { session: 'j1', kind: 'job' }, if: { token } });
  await isIn(boris, 'free');
  await hold(api, assistant);
  await isIn(boris, 'other');
  await boris.route('**/v1/takeover', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{"code":"forbidden"}' }));
  await click(boris, 'Take over');
  await expect(detail(boris)).toContainText('You may not take over.');
  await expect(offers(boris)).toHaveText(['Wait in the queue']);
});

test('по-русски: помощник и перехват одним нажатием', { tag: '@firefox' }, async ({ arrive, api, server }) => {
  const anna = await arrive('Анна', { locale: 'ru-RU' });
  await anna.getByRole('button', { name: 'Поручить помощнику прайс-лист' }).click();
  await expect(headline(anna)).toHaveText(/^Помощник \(агент, от имени: Анна\) редактирует с\s\d?\d:\d\d$/);
  await flawless(anna, 'an agent edits');
  await anna.getByRole('button', { name: 'Перехватить', exact: true }).press('Enter');
  await isIn(anna, 'mine');
  await expect(anna.locator('#history li').first()).toContainText('Работу агента продолжает человек.');
  await hold(api, { session: 'j1', name: 'Ночной импорт', kind: 'job', on_behalf_of: 'отдел продаж' });
  await anna.goto(server.contract);
  await expect(headline(anna)).toHaveText(/^Ночной импорт \(задание, от имени: отдел продаж\) редактирует/);
  await expect(state(anna)).toHaveAttribute('state', 'other');
  await click(anna, 'Встать в очередь');
  await say(anna, '', 'Ждать');
  await expect(headline(anna)).toHaveText('Ваш номер в очереди: 1');
});
