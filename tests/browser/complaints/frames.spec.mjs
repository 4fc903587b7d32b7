// Places within a form where somebody could type past the lock: frames, shadow
// roots, what scripts make buttons of.

import { expect, isIn, kept, lock, mutex, test } from './site.mjs';

const petrova = { session: 'petrova', user_id: 'petrova', name: 'Petrova' };
const call = (site, path, body) => site.editlock(path, { mutex: mutex('1'), owner: petrova, ...body });
const takeOver = async (site) => call(site, '/v1/takeover', { seen_token: (await site.holder('1')).token, reason: 'urgent' });

async function open(site, page, form) {
  site.pages.set('/form', {
    type: 'text/html', body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Form</title><script type="module" src="/editlock/element.js"></script>
      <edit-lock group="site" mode="record" object="1" session="ivanov" user="ivanov" name="Ivanov"><form>${form}</form></edit-lock></html>`,
  });
  await page.goto(`${site.url}/form`);
  await page.evaluate(() => { document.querySelector('edit-lock').reload = async () => () => window.load?.(); });
}

// body is what the innermost document of a page's frames says.
const body = (page) => page.frames().at(-1).locator('body');
const says = (page, text) => expect.poll(() => body(page).textContent()).toBe(text);

async function tryToType(page, place, keys = 'x') {
  await place.click({ force: true });
  await page.keyboard.type(keys);
  await page.keyboard.press('Backspace');
  await page.keyboard.insertText('y');
}

// Documents that editors make, each in its own way, after the page has come.
const documents = {
  'written again': (frame) => {
    frame.contentDocument.open();
    frame.contentDocument.write('<body contenteditable>as it was</body>');
    frame.contentDocument.close();
  },
  'by srcdoc': (frame) => { frame.srcdoc = '<body contenteditable>as it was</body>'; },
  'edited as a whole': (frame) => {
    frame.contentDocument.body.textContent = 'as it was';
    frame.contentDocument.designMode = 'on';
  },
  'in a frame of a frame': (frame) => { frame.srcdoc = '<iframe id="inner" srcdoc="<body contenteditable>as it was</body>"></iframe>'; },
};
for (const [about, make] of Object.entries(documents)) {
  test(`a document ${about} is read-only while another holds the lock, and the holder's text in it is kept`, async ({ site, page }) => {
    await call(site, '/v1/capture');
    await open(site, page, '<div id="place"></div>');
    await isIn(page, 'other');
    await page.evaluate(`(${make})(document.getElementById('place').appendChild(Object.assign(document.createElement('iframe'), { id: 'text' })))`);
    await says(page, 'as it was');
    await tryToType(page, body(page));
    await says(page, 'as it was');
    await page.evaluate(() => {
      window.load = () => {
        const { contentDocument: outer } = document.getElementById('text');
        (outer.querySelector('iframe')?.contentDocument ?? outer).body.textContent = 'as it was';
      };
    });

    await call(site, '/v1/release');
    await page.getByRole('button', { name: 'Start editing' }).click();
    await isIn(page, 'mine');
    await body(page).click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' and more');
    await says(page, 'as it was and more');
    await expect.poll(() => page.evaluate(() => document.querySelector('edit-lock').unsaved)).toBe(true);

    await takeOver(site);
    await isIn(page, 'lost');
    await says(page, 'as it was');
    await page.keyboard.type('z');
    await tryToType(page, body(page));
    await says(page, 'as it was');
    await expect(kept(page)).toContainText('as it was and more');
  });
}

test('a frame that shows another document is watched again', async ({ site, page }) => {
  await call(site, '/v1/capture');
  site.pages.set('/first', { type: 'text/html', body: '<body contenteditable>first' });
  site.pages.set('/second', { type: 'text/html', body: '<body contenteditable>second' });
  await open(site, page, '<iframe src="/first"></iframe>');
  await isIn(page, 'other');
  await page.evaluate(() => { document.querySelector('iframe').src = '/second'; });
  await says(page, 'second');
  await tryToType(page, body(page));
  await says(page, 'second');
});

test('typing in a frame shows that somebody is there', async ({ site, page }) => {
  await open(site, page, '<iframe id="text" srcdoc="<body contenteditable>as it was</body>"></iframe>');
  await isIn(page, 'mine');
  const warned = page.evaluate(() => new Promise((done) => {
    const { lock } = document.querySelector('edit-lock');
    lock.warn(new Date(Date.now() + 60_000)); // as after a long time without input
    lock.addEventListener('change', () => lock.inactiveAt ?? done('not any more'));
  }));
  await body(page).press('x');
  expect(await warned).toBe('not any more');
});

test('a frame of another site takes nothing while another holds the lock; its editor tells what the holder types', async ({ site, page }) => {
  site.pages.set('/foreign', { type: 'text/html', body: '<body contenteditable>as it was' });
  await call(site, '/v1/capture');
  await open(site, page, `<iframe src="${site.url.replace('127.0.0.1', 'localhost')}/foreign"></iframe>`);
  await isIn(page, 'other');
  await says(page, 'as it was');
  await tryToType(page, page.locator('iframe'));
  await says(page, 'as it was');

  await call(site, '/v1/release');
  await page.getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  await body(page).press('x');
  await says(page, 'xas it was');
  await page.evaluate(() => document.querySelector('edit-lock').typed({ canvas: 'half a sentence' }));
  expect(await page.evaluate(() => document.querySelector('edit-lock').unsaved)).toBe(true);
  await takeOver(site);
  await isIn(page, 'lost');
  await page.keyboard.type('z');
  await tryToType(page, page.locator('iframe'));
  await says(page, 'xas it was');
  await expect(kept(page)).toContainText('half a sentence');

  await call(site, '/v1/release');
  await lock(page).getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  await expect.poll(() => page.evaluate(() => {
    const element = document.querySelector('edit-lock');
    element.restore = (...given) => { window.restored = given; };
    return element.editable;
  })).toBe(true);
  await page.getByRole('button', { name: 'Put it into the form' }).click();
  expect(await page.evaluate(() => window.restored)).toEqual(['canvas', 'half a sentence']);
});

test('fields in the shadow root of another element, and buttons made by scripts, do nothing while another holds the lock', async ({ site, page }) => {
  await call(site, '/v1/capture');
  await open(site, page, '<x-field></x-field><div role="button" tabindex="0">Bold</div>');
  await isIn(page, 'other');
  await page.evaluate(() => {
    customElements.define('x-field', class extends HTMLElement {
      connectedCallback() { this.attachShadow({ mode: 'open' }).innerHTML = '<input aria-label="Inner" value="as it was"><input type="checkbox" aria-label="Choice">'; }
    });
    window.pressed = 0;
    document.querySelector('[role=button]').onclick = () => { window.pressed++; };
  });
  const inner = page.getByRole('textbox', { name: 'Inner' }), choice = page.getByRole('checkbox', { name: 'Choice' });
  await tryToType(page, inner);
  await choice.click({ force: true });
  await page.getByRole('button', { name: 'Bold' }).click({ force: true });
  await expect(inner).toHaveValue('as it was');
  await expect(choice).not.toBeChecked();
  expect(await page.evaluate(() => window.pressed)).toBe(0);
  await call(site, '/v1/release');
  await page.getByRole('button', { name: 'Start editing' }).click();
  await isIn(page, 'mine');
  await inner.fill('changed');
  await choice.check();
  await page.getByRole('button', { name: 'Bold' }).click();
  expect(await page.evaluate(() => window.pressed)).toBe(1);
});

test('a link that is called a button still leads away while another holds the lock', async ({ site, page }) => {
  await call(site, '/v1/capture');
  await open(site, page, '<a role="button" href="/away">Close</a>');
  site.pages.set('/away', { type: 'text/html', body: '<title>Away</title>' });
  await isIn(page, 'other');
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page).toHaveTitle('Away');
});
