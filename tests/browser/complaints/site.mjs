// Somebody's own application: it renders its records, wraps their forms in
// <edit-lock>, lets only a lock's holder save, and stands between the browsers
// and editlock like any front end. Tests may break what passes through it.

import { readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join } from 'node:path';
import { expect, test as base, watchOver } from '../office.mjs';

export { expect };

const dist = join(import.meta.dirname, '../../../client/js/dist');
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
const markup = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const types = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html' };
const script = { 'Content-Type': 'text/javascript' };

/** What the pages beside the records run. */
const scripts = {
  // The client, for tests to call.
  '/client.js': "import * as editlock from '/editlock/editlock.js'; window.editlock = editlock;",
  // An application of one page: its routes come and go without loading anything.
  '/routes.js': `import '/editlock/element.js';
    const show = () => {
      const name = location.hash.slice(1), view = document.getElementById('view');
      view.replaceChildren(name ? document.getElementById('record').content.cloneNode(true) : 'nothing open');
      view.querySelector('edit-lock')?.setAttribute('object', name);
    };
    addEventListener('hashchange', show);
    show();`,
};

export class Site {
  /** Every call of editlock's that came by: {path, body, at, status, cut}; cut breaks its connection. */
  calls = [];
  /** Records by name: what is stored. */
  records = new Map();
  /** Revisions by name, of a site that compares them; null: it does not. */
  revisions = null;
  /** Saves that came, with what they carried: {seen, number, status}; wait holds their answers back. */
  saves = [];
  wait = null;
  /** More pages by path: {type, body}. */
  pages = new Map();
  /** Folders whose files are served, by the path they are under. */
  folders = new Map();
  /** Asked about each call; may answer {status, delay}: refused, or passed on later. */
  fault = () => null;
  /** Headers that its calls carry, its pages' too. */
  credential = {};

  constructor(server) {
    this.server = server;
    this.http = createServer((req, res) => this.serve(req, res).catch((e) => res.destroy(e)));
  }

  async start() {
    await new Promise((done) => this.http.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.http.address().port}`;
  }

  stop() {
    this.http.closeAllConnections();
    return new Promise((done) => this.http.close(done));
  }

  /** page is the address of a record, for somebody. */
  page(record, who) { return `${this.url}/records/${record}?${new URLSearchParams({ user: who.name, ...who })}`; }

  /** since counts calls to a path. */
  count(path) { return this.calls.filter((c) => c.path === path).length; }

  async serve(req, res) {
    const url = new URL(req.url, this.url);
    const body = await new Promise((done) => {
      const chunks = [];
      req.on('data', (c) => chunks.push(c)).on('end', () => done(Buffer.concat(chunks).toString()));
    });
    if (url.pathname.startsWith('/v1/')) return this.pass(req, res, url, body);
    if (url.pathname.startsWith('/api/records/')) return this.api(req, res, url, body);
    if (this.pages.has(url.pathname)) return res.writeHead(200, { 'Content-Type': this.pages.get(url.pathname).type }).end(this.pages.get(url.pathname).body);
    for (const [under, folder] of this.folders) if (url.pathname.startsWith(under)) return this.file(res, join(folder, url.pathname.slice(under.length)));
    if (url.pathname.startsWith('/editlock/')) return res.writeHead(200, script).end(await readFile(join(dist, url.pathname.slice(10))));
    if (scripts[url.pathname]) return res.writeHead(200, script).end(scripts[url.pathname]);
    res.setHeader('Content-Security-Policy', policy);
    res.setHeader('Content-Type', 'text/html; charset=utf-8');
    if (url.pathname === '/client') return res.end('<!doctype html><title>client</title><script type="module" src="/client.js"></script>');
    if (url.pathname === '/routes') return res.end(this.routes(url));
    if (url.pathname.startsWith('/records/')) return this.record(req, res, url, body);
    return res.writeHead(404).end();
  }

  async file(res, path) {
    const body = await readFile(path).catch(() => null);
    return body === null ? res.writeHead(404).end() : res.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream' }).end(body);
  }

  // allowed is the guard of every write: does the token that came with it
  // still hold? A real one also knows who its reader is, and that they hold it.
  async allowed(name, token) {
    const { results: [result] } = await this.editlock('/v1/refresh', { items: [{ mutex: mutex(name), token: Number(token) || 1 }] });
    return result;
  }

  async api(req, res, url, body) {
    const name = url.pathname.slice('/api/records/'.length);
    if (req.method === 'PUT') {
      const save = { seen: req.headers['if-match'], number: Number(req.headers['editlock-save']), text: JSON.parse(body).text };
      this.saves.push(save);
      const answer = this.changed(name, save.seen?.replaceAll('"', '')) ?? await this.allowed(name, req.headers['editlock-token']);
      save.status = answer.status ?? (answer.code ? 409 : 200);
      if (save.status === 200) this.store(name, save.text);
      await this.wait;
      if (save.status === 412) return res.writeHead(412, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(answer));
      if (answer.code) return res.writeHead(409, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(answer));
    }
    return res.writeHead(200, { 'Content-Type': 'application/json', ...(this.revisions && { ETag: `"${this.revision(name)}"` }) }).end(JSON.stringify({ text: this.records.get(name) ?? 'as it was' }));
  }

  revision(name) { return this.revisions?.get(name) ?? 1; }

  /** store writes a record, with or without a lock, as an import does. */
  store(name, text) {
    this.records.set(name, text);
    this.revisions?.set(name, this.revision(name) + 1);
  }

  /** changed is the problem of a save of another version than there is. */
  changed(name, seen) {
    const current = String(this.revision(name));
    return !this.revisions || seen === current ? null : { code: 'changed', status: 412, detail: 'the record changed', seen, current };
  }

  async record(req, res, url, body) {
    const name = url.pathname.slice('/records/'.length);
    if (req.method === 'GET') return res.writeHead(200, { 'Cache-Control': 'no-store' }).end(this.render(name, url));
    const form = new URLSearchParams(body);
    const answer = this.changed(name, form.get('editlock_version')) ?? await this.allowed(name, form.get('editlock_token'));
    if (answer.code) return res.writeHead(answer.status ?? 409).end(`<!doctype html><title>refused</title><p>Not saved: ${markup(answer.code)}`);
    this.store(name, form.get('text'));
    return res.writeHead(303, { Location: req.url }).end();
  }

  render(name, url) {
    const attributes = [...url.searchParams, ...(this.revisions ? [['version', this.revision(name)]] : [])].map(([k, v]) => `${k}="${markup(v)}"`).join(' ');
    const text = this.records.get(name) ?? 'as it was';
    return `<!doctype html><html lang="en"><head><title>Record</title><script type="module" src="/editlock/element.js"></script></head>
      <body><main><h1>Record ${markup(name)}</h1>
      <edit-lock group="site" mode="record" object="${markup(name)}" token-field="editlock_token" ${attributes}>
        <form method="post" inert><label for="text">Text</label> <textarea id="text" name="text">${markup(text)}</textarea>
          <label><input type="checkbox" name="urgent"> Urgent</label> <label><input name="fixed" value="set by the server" readonly> Fixed</label>
          <button>Save</button></form>
      </edit-lock></main></body></html>`;
  }

  routes(url) {
    const attributes = [...url.searchParams].map(([k, v]) => `${k}="${markup(v)}"`).join(' ');
    return `<!doctype html><html lang="en"><head><title>Routes</title></head><body><nav><a href="#first">first</a> <a href="#second">second</a> <a href="#">home</a></nav>
      <main id="view"></main>
      <template id="record"><edit-lock group="site" mode="record" ${attributes}><textarea name="text" aria-label="Text"></textarea></edit-lock></template>
      <script type="module" src="/routes.js"></script></body></html>`;
  }

  // pass hands a call on to editlock, unless a test has something against it.
  async pass(req, res, url, body) {
    const call = { path: url.pathname, body: body ? JSON.parse(body) : null, at: performance.now(), key: req.headers['idempotency-key'] };
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault?.delay) await new Promise((done) => setTimeout(done, fault.delay));
    if (fault?.status) {
      call.status = fault.status;
      return res.writeHead(fault.status, { 'Content-Type': 'text/plain' }).end('no');
    }
    const to = new URL(req.url, this.server.url);
    const onward = request(to, { method: req.method, headers: { ...req.headers, ...this.credential, host: to.host, ...(req.headers.origin && { origin: to.origin }) } }, (answer) => {
      call.status = answer.statusCode;
      res.writeHead(answer.statusCode, answer.headers);
      res.flushHeaders();
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    onward.on('error', () => res.destroyed || res.headersSent ? res.destroy() : res.writeHead(502).end());
    res.on('close', () => onward.destroy());
    call.cut = () => res.destroy();
    return onward.end(body);
  }

  /** editlock calls it as the application's own server does. */
  async editlock(path, body) {
    const r = await fetch(new URL(path, this.server.url), body && {
      method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...this.credential },
    });
    return r.json();
  }

  /** holder is who holds a record now, or null. */
  async holder(record) { return (await this.editlock('/v1/request', { mutex: mutex(record) })).mutex; }

  /** history is the kinds of a record's entries, oldest first. */
  async history(record) {
    const { entries } = await this.editlock(`/v1/history?${new URLSearchParams(mutex(record))}`);
    return entries.reverse();
  }
}

export const mutex = (record) => ({ group: 'site', mode: 'record', id: record });

export const test = base.extend({
  site: async ({ server }, use) => {
    const site = new Site(server);
    await site.start();
    await use(site);
    await site.stop();
  },

  // visit opens a record in a browser of one's own, or in the one given.
  visit: async ({ browser, site }, use) => {
    const contexts = [], wrongs = [];
    await use(async (who, record = '1', { context, ...options } = {}) => {
      const own = context ?? await browser.newContext(options);
      if (!context) contexts.push(own);
      const page = await own.newPage();
      watchOver(page, who.name, wrongs);
      await page.goto(site.page(record, who));
      return page;
    });
    await Promise.all(contexts.map((c) => c.close()));
    expect(wrongs).toEqual([]);
  },

  // launched starts a browser of its own, with processes that a test may stop,
  // freeze and kill.
  launched: async ({ playwright, launchOptions }, use) => {
    let server, its;
    const launch = async ({ args = [] } = {}) => {
      server = await playwright.chromium.launchServer({ ...launchOptions, args: [...launchOptions.args, ...args] });
      its = await playwright.chromium.connect(server.wsEndpoint());
      return its;
    };
    launch.kill = () => server.kill();
    launch.signal = (name) => family(server.process().pid).forEach((pid) => process.kill(pid, name));
    await use(launch);
    await server?.kill();
  },

  // client opens a page with nothing but the client in it.
  client: async ({ browser, site }, use) => {
    const contexts = [];
    await use(async (context) => {
      const own = context ?? await browser.newContext();
      contexts.push(own);
      const page = await own.newPage();
      await page.goto(`${site.url}/client`);
      await page.waitForFunction(() => window.editlock);
      return page;
    });
    await Promise.all(contexts.map((c) => c.close()));
  },
});

// family is a process and all that came from it.
function family(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

export const lock = (page) => page.locator('edit-lock');
export const isIn = (page, state, options) => expect(lock(page)).toHaveAttribute('state', state, options);
export const text = (page) => page.getByRole('textbox', { name: 'Text' });
export const kept = (page) => page.getByRole('region', { name: 'Your unsaved text' });
/** tokenOf is what a save from this page carries; '' if it may not save. */
export const tokenOf = (page) => page.locator('input[name=editlock_token]').inputValue();
