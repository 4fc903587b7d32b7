// A browser in which site data are blocked: storages throw, Web Locks are there
// and refuse.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from './site.mjs';

const ivanov = { name: 'Ivanov', user: 'ivanov' };

/** blocked is the test of such a browser: open opens the record in it. */
export const blocked = base.extend({
  page: async ({ playwright, browserName, channel, launchOptions }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'editlock-blocked-'));
    await mkdir(join(folder, 'Default'));
    await writeFile(join(folder, 'Default', 'Preferences'), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
    const firefoxUserPrefs = { ...launchOptions.firefoxUserPrefs, 'network.cookie.cookieBehavior': 2 };
    const executablePath = browserName === 'chromium' ? process.env.CHROMIUM : launchOptions.executablePath;
    const options = { ...launchOptions, executablePath, channel, firefoxUserPrefs, locale: 'en-GB' };
    const context = await playwright[browserName].launchPersistentContext(folder, options);
    const page = await context.newPage();
    await use(page);
    await context.close();
    await rm(folder, { recursive: true, force: true });
  },
  open: async ({ site, page }, use) => {
    await use(async (more) => {
      await page.goto(site.page('1', { ...ivanov, ...more }));
      expect(await page.evaluate(async () => {
        try {
          return typeof localStorage;
        } catch {
          return navigator.locks.request('any', () => 'a lock').catch((e) => e.name);
        }
      })).toBe('SecurityError');
    });
  },
});
