// A server that limits somebody's requests: what they are told stays true.

import { detail, expect, isIn, notes, state, test } from './office.mjs';

test.use({ idle: '12s' }); // refreshed every four seconds

test('a limit is no loss before the lease ends, and not sure possession after', async ({ edit }) => {
  const page = await edit('Ivanov');
  const asked = [];
  await page.route('**/v1/refresh', (route) => {
    asked.push(Date.now());
    return route.fulfill({
      status: 429, contentType: 'application/problem+json', headers: { 'Retry-After': '5' },
      body: '{"code":"limited","detail":"this is over the limit requests_per_second"}',
    });
  });
  await expect(detail(page)).toContainText('The server limits the number of requests. You can keep typing until');
  await isIn(page, 'mine');
  await expect(notes(page)).toBeEditable();

  await isIn(page, 'checking');
  await expect(detail(page)).toContainText('The server has not confirmed this for too long');
  await expect(notes(page)).not.toBeEditable();
  // Two asked before the lease ended, one at its end: not sooner than told to.
  expect(asked.length).toBeLessThanOrEqual(4);
  expect(asked[1] - asked[0]).toBeGreaterThanOrEqual(4900);

  await page.unroute('**/v1/refresh');
  await isIn(page, 'mine');
  await expect(state(page)).not.toContainText('limits');
  await expect(notes(page)).toBeEditable();
});
