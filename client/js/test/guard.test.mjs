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

const versions = JSON.parse(readFileSync(new URL('../../../testdata/guard/versions.json', import.meta.url)));

test('a version is read from an answer as every guard writes it', async () => {
  const { code, versionOf } = await import('../src/element/version.js');
  assert.equal(code, versions.code);
  const read = (tag) => versionOf(/** @type {any} */ ({ headers: new Headers({ [versions.answer]: tag }) }));
  for (const { version, tag } of versions.tags) assert.equal(read(tag), version);
  for (const { name, header, version = null } of versions.read.filter((r) => !r.header.includes(','))) assert.equal(read(header), version, name);
  assert.equal(versionOf(/** @type {any} */ ({ headers: new Headers() })), null);
});

test('the documents name the header and the field of the contract', () => {
  for (const [file, ...names] of [
    ['../README.md', contract.header], ['../../../docs/guard.md', contract.header], ['../../../docs/browser.md', contract.header],
    ['../README.md', versions.header, versions.answer, versions.save_header], ['../../../docs/guard.md', versions.header, versions.field, versions.save_header],
    ['../../python/editlock/docs/django.md', versions.header, versions.answer, versions.save_header],
    ['../../python/editlock/README.md', contract.field, contract.header],
  ]) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    for (const name of names) assert.ok(text.includes(name), `${file} does not name ${name}`);
    assert.ok(!/X-Editlock-Token/i.test(text), `${file} has another header`);
  }
});
