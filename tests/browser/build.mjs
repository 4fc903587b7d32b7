// Builds the program once for all tests, unless EDITLOCK_PROGRAM names one.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function build() {
  if (process.env.EDITLOCK_PROGRAM) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'editlock-browser-'));
  process.env.EDITLOCK_PROGRAM = join(folder, 'editlock');
  execFileSync('go', ['build', '-o', process.env.EDITLOCK_PROGRAM, './cmd/editlock'], {
    cwd: join(import.meta.dirname, '../..'), stdio: 'inherit',
  });
  return () => rmSync(folder, { recursive: true, force: true });
}
