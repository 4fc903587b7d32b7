// Editors of other people, as they come from npm, within an element: while
// another holds the lock nothing is typed into them, and what the holder types
// counts like what is typed into a field.

import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, isIn, kept, lock, mutex, test } from './complaints/site.mjs';

const modules = join(import.meta.dirname, 'node_modules');
const petrova = { session: 'petrova', user_id: 'petrova', name: 'Petrova' };

// Where each is: in a frame, in the page.
const frames = '#text_ifr, iframe.cke_wysiwyg_frame';
const editors = {
  tinymce: { script: '/npm/tinymce/tinymce.min.js', within: (page) => page.frameLocator(frames).locator('body'), tools: '[aria-label="Bold"]', tag: '@firefox' },
  ckeditor4: { script: '/npm/ckeditor4/ckeditor.js', within: (page) => page.frameLocator(frames).locator('body'), tools: '.cke_button__bold' },
  ckeditor5: { within: (page) => page.locator('.ck-content'), tools: '[data-cke-tooltip-text^="Bold"]' },
  quill: { within: (page) => page.locator('.ql-editor'), tools: '.ql-header .ql-picker-label' },
  tiptap: { within: (page) => page.locator('.ProseMirror') },
  codemirror: { within: (page) => page.locator('.cm-content') },
};

async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'editors', `${name}.mjs`)], bundle: true, write: false, format: 'esm', target: 'es2022', logLevel: 'error', outdir: '.',
  });
  return { type: 'text/javascript', body: outputFiles[0].text };
}

const show = (name, { script = '' }) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title>
  <script type="module" src="/editlock/element.js"></script>${script && `<script src="${script}"></script>`}
  <edit-lock group="site" mode="record" object="1" session="ivanov" user="ivanov" name="Ivanov">
  <form><label for="title">Title</label> <input id="title" name="title">
  ${['quill', 'tiptap', 'codemirror'].includes(name) ? '<div id="place"></div>' : '<textarea id="text" name="text">as it was</textarea>'}</form>
  </edit-lock><script type="module" src="/editor.js"></script>
  <script type="module">document.querySelector('edit-lock').reload = async () => {
    await window.editor?.load(); // some need time
    return () => {};
  };</script></html>`;

for (const [name, about] of Object.entries(editors)) {
  test(name, { tag: about.tag ?? [] }, async ({ site, page }) => {
    site.folders.set('/npm/', modules);
    site.pages.set('/editor', { type: 'text/html', body: show(name, about) });
    site.pages.set('/editor.js', await bundle(name));
    const call = (path, body) => site.editlock(path, { mutex: mutex('1'), owner: petrova, ...body });
    await call('/v1/capture', {});
    await page.goto(`${site.url}/editor`);
    await page.waitForFunction(() => window.editor);
    const there = () => page.evaluate(() => window.editor.html());
    const inside = about.within(page), stored = await there();
    expect(stored).toContain('as it was');

    await test.step('nothing can be typed while another holds the lock', async () => {
      await isIn(page, 'other');
      await attempt(page, inside, about);
      expect(await there()).toBe(stored);
    });

    await test.step('what the holder types is unsaved, and shows that they are there', async () => {
      await call('/v1/release');
      await page.getByRole('button', { name: 'Start editing' }).click();
      await isIn(page, 'mine');
      await page.evaluate(() => {
        const { client } = document.querySelector('edit-lock'), { active } = client;
        client.active = () => { window.activity = true; active.call(client); };
        window.activity = false;
      });
      await inside.click();
      await page.keyboard.press('Control+End');
      await page.keyboard.type(' half a sentence');
      await expect.poll(there).toContain('half a sentence');
      await expect.poll(() => page.evaluate(() => document.querySelector('edit-lock').unsaved)).toBe(true);
    });

    await test.step('a takeover makes it read-only, and the text is kept', async () => {
      await call('/v1/takeover', { seen_token: (await site.holder('1')).token, reason: 'urgent' });
      await isIn(page, 'lost');
      await expect(kept(page)).toContainText('half a sentence');
      await expect.poll(there).toBe(stored);
      await page.keyboard.type('and more');
      await attempt(page, inside, about);
      expect(await there()).toBe(stored);
    });

    await test.step('and can be put back', async () => {
      await call('/v1/release');
      await lock(page).getByRole('button', { name: 'Start editing' }).click();
      await isIn(page, 'mine');
      await page.getByRole('button', { name: 'Put it into the form' }).click();
      await expect.poll(() => page.evaluate(() => window.editor.text())).toContain('as it was half a sentence');
      await expect(kept(page)).toBeHidden();
    });
  });
}

test('an editor whose text was left behind is loaded again with its page, where the page loads nothing itself', async ({ site, page }) => {
  site.pages.set('/editor', { type: 'text/html', body: show('tiptap', editors.tiptap).replace(/<script type="module">.*?<\/script>/s, '') });
  site.pages.set('/editor.js', await bundle('tiptap'));
  await page.goto(`${site.url}/editor`);
  await isIn(page, 'mine');
  await page.locator('.ProseMirror').press('x');
  await expect.poll(() => page.evaluate(() => document.querySelector('edit-lock').unsaved)).toBe(true);
  await page.evaluate(() => document.querySelector('edit-lock').lock.retire()); // nobody else came
  await isIn(page, 'lost');
  await expect(kept(page)).toContainText('xas it was');
  const loaded = page.waitForEvent('load');
  await page.getByRole('button', { name: 'Start editing' }).click();
  await loaded;
  await isIn(page, 'mine');
  await expect.poll(() => page.evaluate(() => window.editor?.text())).toBe('as it was');
  await expect(kept(page)).toContainText('xas it was');
});

// attempt does what people do to a text.
async function attempt(page, inside, { tools }) {
  await inside.click({ force: true });
  for (const key of ['x', 'Enter', 'Backspace', 'Delete', 'Control+B', 'Control+A', 'Control+X', 'Delete']) await page.keyboard.press(key);
  if (page.context().browser().browserType().name() === 'chromium') await page.keyboard.insertText('inserted'); // Playwright has it in no frame of Firefox
  await inside.evaluate((e) => {
    const data = new DataTransfer();
    data.setData('text/plain', 'pasted');
    e.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true, composed: true }));
  });
  if (tools) await page.locator(tools).first().click({ force: true });
  await page.keyboard.type('y');
}
