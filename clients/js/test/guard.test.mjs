// What a save carries is what the guards read: testdata/guard/contract.json.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const contract = JSON.parse(readFileSync(new URL('../../../testdata/guard/contract.json', import.meta.url)));

test('a lock that is held sends its token in the header that every guard reads', async () => {
  Object.assign(globalThis, { window: globalThis, top: globalThis, addEventListener() {} });
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const { Lock } = await import('../src/lock.js');
  const owner = { session: 's' }, mutex = { mutex: { id: '1' }, owner, token: 7, expires_in_s: null, waiting: 0, waiters: [] };
  const client = { owner, api: { post: async () => ({ mutex }) }, join: () => () => {}, schedule() {}, reached() {}, tick() {}, inTurn: (_, ask) => ask() };
  const lock = new Lock(/** @type {any} */ (client), { id: '1' }, {});
  assert.deepEqual(lock.headers, {});
  await lock.open();
  assert.deepEqual(lock.headers, { [contract.header]: '7' });
});

test('the documents name the header and the field of the contract', () => {
  for (const [file, ...names] of [
    ['../README.md', contract.header], ['../../../docs/guard.md', contract.header], ['../../../docs/browser.md', contract.header],
    ['../../python/editlock/README.md', contract.field, contract.header],
  ]) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    for (const name of names) assert.ok(text.includes(name), `${file} does not name ${name}`);
    assert.ok(!/X-Editlock-Token/i.test(text), `${file} has another header`);
  }
});
