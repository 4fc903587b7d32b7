// nginx as Debian installs it, before a test's server: a plain proxy_pass, which
// may cut requests off earlier than after 60 s, and serve the server below a path.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns {Promise<{url: string, stop: () => Promise<void>}>} */
export async function nginx(upstream, seconds, below = '/') {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  const folder = await mkdtemp(join(tmpdir(), 'editlock-nginx-'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`);
  await writeFile(join(folder, 'nginx.conf'), `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; ${paths.join(' ')}
  server { listen 127.0.0.1:${port}; location ${below} { proxy_pass ${upstream}${below === '/' ? '' : '/'}; proxy_read_timeout ${seconds}s; } }
}`);
  const program = spawn('/usr/sbin/nginx', ['-e', join(folder, 'error.log'), '-p', folder, '-c', join(folder, 'nginx.conf')]);
  const ended = once(program, 'exit');
  for (let tries = 0; ; tries++) {
    const socket = connect(port, '127.0.0.1');
    const up = await Promise.race([once(socket, 'connect').then(() => true, () => false), ended.then(() => { throw new Error('nginx ended'); })]);
    socket.destroy();
    if (up) break;
    if (tries > 200) throw new Error('nginx does not start');
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    url: `http://127.0.0.1:${port}${below}`,
    stop: async () => {
      program.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
