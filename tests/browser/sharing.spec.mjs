// Several who hold one lock: readers, and a limit.

import { expect, test } from './office.mjs';

const report = { group: 'crm', mode: 'report', id: '7' };

// lock makes a lock in the page, and opens it.
async function lock(page, terms, mutex = report) {
  await page.evaluate(async ({ mutex, terms }) => {
    const { Editlock } = await import('/editlock/editlock.js');
    const name = document.querySelector('.who-name').textContent;
    window.one = new Editlock({ owner: { user_id: name, name } }).lock(mutex, terms);
    await window.one.open();
  }, { mutex, terms });
}

const says = (page) => expect.poll(() => page.evaluate(() => {
  const { state, token, holders, holder, loss, problem } = window.one;
  return [state, token > 0, holders.map((h) => h.owner.name).sort().join(), holder?.beside ?? 0, loss?.how ?? problem?.code ?? ''];
}));

test('readers hold a lock together, and each sees who else does', async ({ arrive }) => {
  const ivanov = await arrive('Ivanov'), petrova = await arrive('Petrova'), smith = await arrive('Smith');
  await lock(ivanov, { sharing: 'shared' });
  await says(ivanov).toEqual(['mine', true, 'Ivanov', 0, '']);
  await lock(petrova, { sharing: 'shared' });
  for (const page of [ivanov, petrova]) await says(page).toEqual(['mine', true, 'Ivanov,Petrova', 1, '']);

  await lock(smith);
  await says(smith).toEqual(['other', false, 'Ivanov,Petrova', 1, '']);
  await smith.evaluate(() => { window.one.wait('May I?'); });
  await says(smith).toEqual(['waiting', false, 'Ivanov,Petrova', 1, '']);
  await ivanov.evaluate(() => window.one.release());
  await says(petrova).toEqual(['mine', true, 'Petrova', 0, '']);
  await petrova.evaluate(() => window.one.release());
  await says(smith).toEqual(['mine', true, 'Smith', 0, '']);
});

test('a page that is loaded again takes up its own share', async ({ arrive }) => {
  const ivanov = await arrive('Ivanov'), petrova = await arrive('Petrova');
  await lock(ivanov, { sharing: 'shared' });
  await lock(petrova, { sharing: 'shared' });
  const token = await petrova.evaluate(() => window.one.token);
  await petrova.reload();
  await lock(petrova, { sharing: 'shared' });
  await says(petrova).toEqual(['mine', true, 'Ivanov,Petrova', 1, '']);
  expect(await petrova.evaluate(() => [window.one.token, window.one.note])).toEqual([token, 'kept']);
});

test('a takeover of one share ends no other', async ({ arrive, api }) => {
  const ivanov = await arrive('Ivanov'), petrova = await arrive('Petrova');
  await lock(ivanov, { sharing: 'shared' });
  await lock(petrova, { sharing: 'shared' });
  const seen_token = await petrova.evaluate(() => window.one.token);
  await ivanov.evaluate(() => {
    window.states = [];
    window.one.addEventListener('change', () => window.states.push(window.one.state));
  });
  await api('v1/takeover', { mutex: report, owner: { session: 's', name: 'Smith' }, seen_token, reason: 'urgent' });
  await says(petrova).toEqual(['lost', false, 'Ivanov,Smith', 1, 'taken_over']);
  await says(ivanov).toEqual(['mine', true, 'Ivanov,Smith', 1, '']);
  expect(await ivanov.evaluate(() => window.states)).not.toContain('lost');
});

test('at most so many hold a lock with a limit, and another limit is refused', async ({ arrive }) => {
  const ivanov = await arrive('Ivanov'), petrova = await arrive('Petrova'), smith = await arrive('Smith');
  await lock(ivanov, { limit: 2 });
  await lock(petrova, { limit: 2 });
  await lock(smith, { limit: 2 });
  await says(smith).toEqual(['other', false, 'Ivanov,Petrova', 1, '']);
  await lock(smith, { limit: 3 });
  await says(smith).toEqual(['error', false, '', 0, 'conflict']);
});
