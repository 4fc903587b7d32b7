// Builds dist from src: minified modules, their declarations, and a check
// of their sizes. With --check it builds beside, and fails if dist is not what
// src gives.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

// What may be sent to a browser, in bytes after gzip. The others are
// without the client, which they import.
const budget = { 'editlock.js': 8 * 1024, 'element.js': 20 * 1024, 'presence.js': 4 * 1024, 'diff.js': 1024, 'sections.js': 3 * 1024, 'icon.js': 1024, 'version.js': 3 * 1024 };

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const out = check ? mkdtempSync(join(tmpdir(), 'editlock-js-')) : join(root, 'dist');
let wrong = 0;
const complain = (what) => {
  console.error(what);
  wrong = 1;
};

if (!check) rmSync(out, { recursive: true, force: true });
const common = { bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', legalComments: 'none', absWorkingDir: root };
await build({ ...common, entryPoints: ['src/index.js'], outfile: join(out, 'editlock.js') });
// The client stays a module of its own, which a page may import too.
const client = {
  name: 'client', setup: (b) => b.onResolve({ filter: /\/index\.js$/ }, () => ({ path: './editlock.js', external: true })),
};
await build({
  ...common, entryPoints: ['src/element.js'], outfile: join(out, 'element.js'),
  plugins: [client, {
    name: 'where used', setup: (b) => b.onResolve({ filter: /\/(presence|sections|diff|icon|version)\.js$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true })),
  }],
});
await build({ ...common, entryPoints: ['src/presence.js'], outfile: join(out, 'presence.js'), plugins: [client] });
await build({ ...common, entryPoints: ['src/sections.js'], outfile: join(out, 'sections.js') });
await build({ ...common, entryPoints: ['src/element/diff.js'], outfile: join(out, 'diff.js') });
await build({ ...common, entryPoints: ['src/element/icon.js'], outfile: join(out, 'icon.js') });
await build({ ...common, entryPoints: ['src/element/version.js'], outfile: join(out, 'version.js') });
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root, '--outDir', join(out, 'types')], { stdio: 'inherit' });

for (const [name, most] of Object.entries(budget)) {
  const size = gzipSync(readFileSync(join(out, name)), { level: 9 }).length;
  console.log(`${name}: ${size} bytes gzipped of ${most}`);
  if (size > most) complain(`${name} is larger than its budget`);
}
if (check) {
  const list = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1)).sort();
  const have = join(root, 'dist');
  if (list(out).join() !== list(have).join()) complain('dist has other files than src gives: run npm run build');
  for (const name of list(out)) {
    if (list(have).includes(name) && !readFileSync(join(out, name)).equals(readFileSync(join(have, name)))) complain(`dist/${name} is old: run npm run build`);
  }
  rmSync(out, { recursive: true });
}
process.exitCode = wrong;
