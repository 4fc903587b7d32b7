// What npm would publish, and whether it can be used.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { diff } from '../src/element/diff.js';
import { backoff, duration, jitter } from '../src/clock.js';
import { tables as companyTables } from '../src/element/company.js';
import { tables as versionTables } from '../src/element/version.js';
import { languages, words } from '../src/element/words.js';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'editlock-package-'));
after(() => rmSync(folder, { recursive: true }));

const pack = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] }));
const [{ filename, files }] = Array.isArray(pack) ? pack : Object.values(pack);

test('the package holds the built files, their types, the sources, the licence, and nothing else', () => {
  const paths = files.map((f) => f.path);
  for (const name of ['LICENSE', 'README.md', 'package.json', 'dist/editlock.js', 'dist/element.js', 'dist/presence.js', 'dist/diff.js', 'dist/version.js', 'dist/sections.js', 'dist/icon.js', 'dist/types/index.d.ts', 'dist/types/element.d.ts', 'src/index.js']) {
    assert.ok(paths.includes(name), `${name} is missing`);
  }
  const strange = paths.filter((p) => !/^(LICENSE|README\.md|package\.json|dist\/(editlock|element|presence|diff|icon|version|sections)\.js|dist\/types\/.+\.d\.ts|src\/.+\.js)$/.test(p));
  assert.deepEqual(strange, []);
});

test('it needs no other package', () => {
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.deepEqual({ ...dependencies, ...peerDependencies }, {});
});

test('its types compile in a strict project', () => {
  const at = join(folder, 'node_modules/editlock');
  mkdirSync(at, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', at, '--strip-components', '1']);
  writeFileSync(join(folder, 'use.ts'), readFileSync(join(root, 'test/types/use.ts')));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, types: [],
      target: 'es2022', module: 'nodenext', lib: ['es2024', 'dom', 'dom.iterable'],
    },
    files: ['use.ts'],
  }));
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
  } catch (e) {
    assert.fail(String(e.stdout));
  }
});

test('it can be imported where pages are rendered, on a server', async () => {
  assert.equal(typeof (await import('../dist/editlock.js')).Editlock, 'function');
  assert.equal(typeof (await import('../dist/element.js')).EditLockElement, 'function');
  assert.equal(typeof (await import('../dist/presence.js')).presence, 'function');
  assert.equal(typeof (await import('../dist/sections.js')).sections, 'function');
});

test('the texts say the same in all languages', () => {
  const holes = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();
  for (const [key, [en, ru, ...more]] of Object.entries(words)) {
    assert.ok(en && ru && !more.length, key);
    assert.deepEqual(holes(ru), holes(en), key);
  }
  assert.deepEqual(languages, ['en', 'ru']);
  for (const { en, ru } of [companyTables, versionTables]) {
    assert.deepEqual(Object.keys(ru).sort(), Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) assert.deepEqual(holes(ru[key]), holes(text), key);
  }
});

test('a difference is told word by word', () => {
  const marked = (text, other) => diff(text, other).map((p) => p.same ? p.text : `[${p.text}]`).join('');
  for (const [text, other, want] of [
    ['the same', 'the same', 'the same'],
    ['', 'all new', ''],
    ['one two three', 'one three', 'one [two ]three'],
    ['a b c d', 'a x c y', 'a [b] c [d]'],
    ['all of it is new', 'not a word', '[all of it is new]'],
    ['x of z', 'a of b', '[x] of [z]'],
    ['new', '', '[new]'],
    ['первый\nвторой', 'первый\nтретий', 'первый\n[второй]'],
  ]) assert.equal(marked(text, other), want);
  const long = Array.from({ length: 3000 }, (_, i) => `w${i}`);
  assert.equal(diff(long.join(' '), long.toReversed().join(' ')).map((p) => p.text).join(''), long.join(' '));
});

test('durations are read as the server writes them', () => {
  for (const [text, want] of [['300s', 300_000], ['1h30m', 5_400_000], ['500ms', 500], ['1.5s', 1500], ['never', Infinity]]) assert.equal(duration(text), want);
  for (const text of ['', '5', 'soon', '-5s', '0s', '5 s']) assert.throws(() => duration(text), RangeError);
});

test('tries after failures are 1 to 60 s apart, beats a tenth more or less', () => {
  for (let n = 1; n < 50; n++) {
    const most = Math.min(60_000, 1000 * 2 ** (n - 1)), pause = backoff(n), beat = jitter(20_000);
    assert.ok(pause <= most && pause >= most / 2, `${n}: ${pause}`);
    assert.ok(beat >= 18_000 && beat <= 22_000, String(beat));
  }
});
