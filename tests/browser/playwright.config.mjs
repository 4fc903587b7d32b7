import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { defineConfig } from '@playwright/test';

// The browser is the system's own: nothing is downloaded.
function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const folder of process.env.PATH.split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch { /* not here */ }
    }
  }
  throw new Error('no Chromium in PATH; install it, or name it in CHROMIUM');
}

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.mjs',
  globalSetup: './build.mjs',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  timeout: 120_000,
  // A busy machine may be late for one of a hundred; what is broken fails
  // again. Playwright lists what passed at the second try as flaky.
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
    launchOptions: {
      executablePath: chromium(),
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
    trace: process.env.CI ? 'on-first-retry' : 'retain-on-failure', // each test takes longer with one
  },
});
