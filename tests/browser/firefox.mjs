#!/usr/bin/env node
// Starts the system's Firefox for Playwright, which drives it by WebDriver BiDi, and relays
// between the two: Debian's Firefox is up to a year older than Playwright, and lacks a
// command without which Playwright opens no page. If Firefox does not know it, the relay
// reports success: the command sets how pages look, not what they do.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { WebSocket, WebSocketServer } from 'ws';

const optional = new Set(['emulation.setMediaFeaturesOverride']); // day and night

const firefox = spawn(process.env.FIREFOX, process.argv.slice(2), { stdio: ['ignore', 'inherit', 'pipe'] });
firefox.once('error', (e) => {
  console.error(`${process.env.FIREFOX}: ${e.message}`);
  process.exit(1);
});
firefox.once('exit', (status) => process.exit(status ?? 1));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => firefox.kill(signal));

createInterface({ input: firefox.stderr }).on('line', (line) => {
  const [, said, url] = /^(WebDriver BiDi listening on )(ws:.*)$/.exec(line) ?? [];
  if (!url) return console.error(line);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('listening', () => console.error(`${said}ws://127.0.0.1:${server.address().port}`));
  server.on('connection', (playwright, { url: path }) => relay(playwright, new WebSocket(url + path, { perMessageDeflate: false })));
});

function relay(playwright, browser) {
  const asked = new Set(), early = [];
  playwright.on('message', (data) => {
    const { id, method } = JSON.parse(data);
    if (optional.has(method)) asked.add(id);
    if (browser.readyState === WebSocket.CONNECTING) early.push(String(data));
    else browser.send(String(data));
  });
  browser.on('open', () => early.forEach((data) => browser.send(data)));
  browser.on('message', (data) => {
    const text = String(data);
    playwright.send(asked.size ? answered(text, asked) : text);
  });
  for (const [one, other] of [[playwright, browser], [browser, playwright]]) {
    one.on('close', () => other.close());
    one.on('error', () => other.close());
  }
}

// answered is the text, or the success that stands for Firefox's "unknown command".
function answered(text, asked) {
  const { id, error } = JSON.parse(text);
  if (!asked.delete(id) || error !== 'unknown command') return text;
  return JSON.stringify({ type: 'success', id, result: {} });
}
