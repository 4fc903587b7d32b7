// 2.9: "It was my turn, and the one before me had closed the laptop": a waiter who
// vanishes without a word delays the next one by seconds, not by the lease.

import { createServer, connect } from 'node:net';
import { once } from 'node:events';

import { expect, isIn, lock, mutex, test } from './site.mjs';

const ivanov = { session: 'ivanov', name: 'Ivanov' };
const petrova = { name: 'Petrova', session: 'petrova', user: 'petrova', idle: '300s' };
const sidorova = { name: 'Sidorova', session: 'sidorova', user: 'sidorova', idle: '300s' };

// What nobody confirms ends after so many ms, and is swept soon after.
const confirmed = 15_000, swept = 3000;

/** wire is a network between a page and the site, which may lose everything. */
async function wire(site) {
  const { hostname, port } = new URL(site.url), ends = new Set();
  let dead = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [end, other] of [[near, far], [far, near]]) {
      ends.add(end);
      end.on('data', (data) => { if (!dead) other.write(data); }).on('error', () => {});
      end.on('close', () => { ends.delete(end); if (!dead) other.destroy(); });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reset = () => ends.forEach((end) => end.destroy());
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut: () => { dead = true; },
    mend: () => { reset(); dead = false; },
    stop: () => { reset(); server.close(); },
  };
}

/** queue has a page wait, and note each state that it is in. */
async function queue(page, place) {
  await isIn(page, 'other');
  await page.evaluate(() => {
    const element = document.querySelector('edit-lock'), states = window.states = [];
    new MutationObserver(() => states.push(element.getAttribute('state'))).observe(element, { attributes: true, attributeFilter: ['state'] });
  });
  await page.getByRole('button', { name: 'Wait in the queue' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Wait', exact: true }).click();
  await expect(lock(page).locator('#headline')).toHaveText(`You are number ${place} in the queue`);
}

/** passesOver frees the record, and sees that it comes to the second waiter in time. */
async function passesOver(site, next) {
  const { released } = await site.editlock('/v1/release', { mutex: mutex('1'), owner: ivanov });
  expect(released).toBe(true);
  await expect(lock(next)).toHaveAttribute('state', 'mine', { timeout: 60_000 });
  const got = (await site.history('1')).filter((e) => e.kind === 'captured');
  expect(got.map((e) => e.owner.name)).toEqual(['Ivanov', 'Petrova', 'Sidorova']);
  const [, first, second] = got;
  expect(Date.parse(second.at) - Date.parse(first.at)).toBeLessThan(confirmed + swept);
  return second.token;
}

/** learns sees that a page which comes back was never told that the record is its own. */
async function learns(site, page, token) {
  await expect(page.getByRole('textbox', { name: 'Text' })).not.toBeEditable();
  expect(await page.evaluate(() => window.states)).not.toContain('mine');
  expect(await site.holder('1')).toMatchObject({ token, owner: { name: 'Sidorova' } });
}

test.beforeEach(async ({ site }) => {
  const { state } = await site.editlock('/v1/capture', { mutex: mutex('1'), owner: ivanov });
  expect(state).toBe('CAPTURED_BY_ME');
});

test('a waiter whose processes stand still is passed over in seconds', async ({ site, launched, visit }) => {
  const page = await (await (await launched()).newContext()).newPage();
  await page.goto(site.page('1', petrova));
  await queue(page, 1);
  const next = await visit(sidorova);
  await queue(next, 2);
  launched.signal('SIGSTOP');
  const token = await passesOver(site, next);
  launched.signal('SIGCONT');
  await isIn(page, 'lost'); // the grant had arrived, and was confirmed too late
  await learns(site, page, token);
});

test('a waiter whose network lost everything is passed over in seconds', async ({ site, visit }) => {
  const network = await wire(site);
  try {
    const page = await visit(petrova);
    await page.goto(site.page('1', petrova).replace(site.url, network.url));
    await queue(page, 1);
    const next = await visit(sidorova);
    await queue(next, 2);
    network.cut();
    const token = await passesOver(site, next);
    network.mend();
    await expect(lock(page).locator('#detail')).toContainText('Sidorova has been editing since');
    await expect(lock(page).locator('#headline')).toHaveText('You are number 1 in the queue');
    await learns(site, page, token);
  } finally {
    network.stop();
  }
});
