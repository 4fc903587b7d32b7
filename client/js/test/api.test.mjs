// Calls as they are sent, against a fetch that tells of them.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { API, EditlockError } from '../src/api.js';

globalThis.document = /** @type {any} */ ({ baseURI: 'https://app.example/' });
const sent = [];
let answers = [];

beforeEach(() => {
  sent.length = 0;
  globalThis.fetch = async (url, init) => {
    sent.push({ url, ...init });
    return answers.shift() ?? Response.json({});
  };
});

const problem = (status, code, headers = {}) => Response.json({ code, detail: 'so' }, { status, headers });
const jwt = (claims) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const bearers = () => sent.map((s) => s.headers.Authorization);

test('a limit is an error of its own, temporary, with the time that the server asks for', async () => {
  for (const [header, want] of [[{ 'Retry-After': '7' }, 7000], [{}, 1000]]) {
    answers = [problem(429, 'limited', header)];
    await assert.rejects(new API({}).post('v1/refresh', {}), (e) => {
      assert.ok(e instanceof EditlockError && e.temporary);
      assert.deepEqual([e.code, e.status, e.retryAfter, e.message], ['limited', 429, want, 'so']);
      return true;
    });
  }
  answers = [new Response('slow down', { status: 429, headers: { 'Retry-After': '2' } })]; // a proxy's
  await assert.rejects(new API({}).post('v1/refresh', {}), { code: 'limited', retryAfter: 2000 });
});

test('without a token the owner is stated and nothing is authorized', async () => {
  await new API({}).post('v1/capture', { owner: { session: 's' } });
  assert.deepEqual([JSON.parse(sent[0].body), sent[0].headers.Authorization], [{ owner: { session: 's' } }, undefined]);
});

test('the claims of a token are the owner, who is not stated again', async () => {
  const owners = [];
  const token = jwt({ sub: '17', name: 'Иванов', preferred_username: 'ivanov', jti: 'j', editlock: { session: 'b2' } });
  const api = new API({ token: async () => token }, (owner) => owners.push(owner));
  await api.post('v1/capture', { mutex: { id: '1' }, owner: { session: 'mine' } });
  await api.post('v1/refresh', { owner: { session: 'mine' } });
  api.beacon('v1/release', { owner: { session: 'mine' } });
  assert.deepEqual(owners, [{ session: 'b2', user_id: '17', login: 'ivanov', name: 'Иванов' }]);
  assert.deepEqual(bearers(), Array(3).fill(`Bearer ${token}`));
  assert.deepEqual(sent.map((s) => [JSON.parse(s.body).owner, s.redirect]), Array(3).fill([undefined, 'error']));
});

test('a token that is refused is asked for again, once', async () => {
  const tokens = ['old', 'new', 'newer'];
  const api = new API({ token: () => tokens.shift() });
  answers = [problem(401, 'unauthenticated')];
  await api.post('v1/refresh', {});
  await api.post('v1/refresh', {});
  assert.deepEqual(bearers(), ['Bearer old', 'Bearer new', 'Bearer new']);
  answers = [problem(401, 'unauthenticated'), problem(401, 'unauthenticated')];
  await assert.rejects(api.post('v1/refresh', {}), { code: 'unauthenticated', temporary: false });
  assert.deepEqual(bearers().slice(3), ['Bearer new', 'Bearer newer']);
});

test('a token that stays the same is not sent twice', async () => {
  answers = [problem(401, 'unauthenticated')];
  await assert.rejects(new API({ token: 'same' }).post('v1/refresh', {}), { code: 'unauthenticated' });
  assert.equal(sent.length, 1);
});

test('a token that can\'t be had now is a failure that may pass', async () => {
  const api = new API({ token: () => { throw new Error('signed out'); } });
  await assert.rejects(api.post('v1/refresh', {}), { code: 'unreachable', temporary: true });
  assert.equal(sent.length, 0);
});
