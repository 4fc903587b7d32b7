// Runs the conformance suite of the Model Context Protocol against "editlock mcp":
// what it asks of any server. The rest of it calls tools, prompts and resources of
// an example server, and asks for parts of the protocol that editlock has no use for.
//
//   EDITLOCK_BIN=…/editlock node conformance.mjs
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = createRequire(import.meta.url);
const suite = (name) => join(dirname(root.resolve(`${name}/package.json`)), 'dist', 'index.js');

// What a suite's version asks for which revision; and which of its checks can't be
// met by a server without the example's tools, and why.
const runs = [
  {
    suite: 'conformance', revision: '2025-11-25',
    scenarios: ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'],
  },
  {
    suite: 'conformance-next', revision: '2025-11-25',
    scenarios: ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'],
  },
  {
    suite: 'conformance-next', revision: '2026-07-28',
    scenarios: ['server-stateless', 'tools-list', 'dns-rebinding-protection', 'caching', 'http-header-validation', 'input-required-result-unsupported-methods'],
    unmet: {
      'sep-2575-server-declares-prompts-in-discover': 'there are no prompts',
      'sep-2575-server-rejects-undeclared-capability': 'by a tool of the example',
      'sep-2575-missing-capability-http-400': 'by a tool of the example',
      'sep-2575-http-server-no-independent-requests-on-stream': 'by a tool of the example',
      'sep-2575-server-no-log-without-loglevel': 'by a tool of the example',
    },
  },
];

// serve starts the tools, and tells where they are.
function serve() {
  const server = spawn(process.env.EDITLOCK_BIN, ['mcp', '--store', 'memory:', '--listen', '127.0.0.1:0'], {
    env: { ...process.env, LANG: 'C', LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    server.on('exit', (code) => reject(new Error(`editlock mcp has ended with ${code}: ${said}`)));
    server.stderr.on('data', (data) => {
      said += data;
      const at = said.match(/http:\/\/\S+/);
      if (at) resolve({ url: at[0], stop: () => server.removeAllListeners('exit').kill() });
    });
  });
}

// checks runs one scenario.
function checks(run, scenario, url) {
  const out = mkdtempSync(join(tmpdir(), 'editlock-mcp-'));
  try {
    const args = [suite(run.suite), 'server', '--url', url, '--scenario', scenario, '--spec-version', run.revision, '--output-dir', out];
    const got = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
    const dirs = readdirSync(out);
    if (!dirs.length) throw new Error(`${scenario} left no checks: ${got.stdout}${got.stderr}`);
    return JSON.parse(readFileSync(join(out, dirs[0], 'checks.json'), 'utf8'));
  } finally {
    rmSync(out, { recursive: true });
  }
}

const { url, stop } = await serve();
const wrong = [];
let good = 0;
for (const run of runs) {
  const unmet = new Set(Object.keys(run.unmet ?? {}));
  for (const scenario of run.scenarios) {
    const found = checks(run, scenario, url);
    if (!found.some((c) => c.status === 'SUCCESS')) wrong.push(`${scenario}: nothing was checked`);
    for (const c of found) {
      const here = `${run.suite} ${run.revision} ${scenario} ${c.id}`;
      if (c.status === 'SUCCESS' && run.unmet?.[c.id]) wrong.push(`${here} is met; take it out of the list`);
      else if (c.status === 'SUCCESS') good++;
      else if (c.status !== 'INFO' && c.status !== 'SKIPPED' && !unmet.delete(c.id)) wrong.push(`${here}: ${c.status} ${c.errorMessage ?? c.description}`);
    }
  }
  for (const id of unmet) wrong.push(`${run.suite} ${run.revision}: ${id} was not checked; take it out of the list`);
}
stop();
for (const line of wrong) console.error(line);
console.log(`mcp: ${good} checks of the conformance suite are met, ${wrong.length} are not`);
process.exitCode = wrong.length ? 1 : 0;
