import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { defineConfig } from '@playwright/test';

// The browsers are the system's own: nothing is downloaded.
function inPath(names) {
  for (const name of names) {
    for (const folder of process.env.PATH.split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch { /* not here */ }
    }
  }
  return '';
}

// Chromium without its window takes little more than half the processor time. What it lacks,
// such as the settings of a profile, is tested with the whole one: see complaints/blocked.mjs.
process.env.CHROMIUM_SHELL ||= process.env.CHROMIUM || inPath(['chromium-headless-shell']);
process.env.CHROMIUM ||= inPath(['chromium', 'chromium-browser', 'google-chrome']);
const chromium = process.env.CHROMIUM && (process.env.CHROMIUM_SHELL || process.env.CHROMIUM);
if (!chromium) throw new Error('no Chromium in PATH; install it, or name it in CHROMIUM');

// Firefox runs the scenarios with the tag @firefox.
process.env.FIREFOX ||= inPath(['firefox-esr', 'firefox']);
if (!process.env.FIREFOX) console.log('No Firefox in PATH: its scenarios are left out. Install firefox-esr, or name a Firefox in FIREFOX.');

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
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
    trace: process.env.CI ? 'on-first-retry' : 'retain-on-failure', // each test takes longer with one
  },
  projects: [
    {
      name: 'chromium',
      use: { browserName: 'chromium', launchOptions: { executablePath: chromium, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] } },
    },
    ...process.env.FIREFOX ? [{
      name: 'firefox', grep: /@firefox/, retries: 1,
      use: {
        browserName: 'firefox', channel: 'moz-firefox',
        launchOptions: {
          executablePath: join(import.meta.dirname, 'firefox.mjs'),
          // Each page is in front, as Playwright has it in Chromium; no icons, which pages of tests have none of.
          firefoxUserPrefs: { 'focusmanager.testmode': true, 'browser.chrome.site_icons': false },
        },
      },
    }] : [],
  ],
});
