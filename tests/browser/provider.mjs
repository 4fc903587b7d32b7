// A login provider (OpenID Connect) that lets everybody in at once, as the one
// person that it knows.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

const base64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** @returns {Promise<{url: string, refuse: boolean, ended: string[], stop: () => Promise<void>}>} */
export async function provider(person) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map();
  const self = { url: '', refuse: false, ended: [] };
  const answers = {
    '/.well-known/openid-configuration': () => ({
      issuer: self.url, authorization_endpoint: `${self.url}/authorize`, token_endpoint: `${self.url}/token`, jwks_uri: `${self.url}/keys`,
      end_session_endpoint: `${self.url}/end`, id_token_signing_alg_values_supported: ['RS256'],
    }),
    '/keys': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig', alg: 'RS256' }] }),
    '/token': (form) => {
      const { nonce, client, challenge } = codes.get(form.get('code'));
      if (createHash('sha256').update(form.get('code_verifier')).digest('base64url') !== challenge) throw new Error('PKCE');
      const now = Math.floor(Date.now() / 1000);
      const text = [{ alg: 'RS256', kid: '1' }, { iss: self.url, aud: client, iat: now, exp: now + 300, nonce, ...person }].map(base64).join('.');
      return { access_token: 'a', token_type: 'Bearer', id_token: `${text}.${sign('sha256', text, privateKey).toString('base64url')}` };
    },
  };
  const http = createServer(async (req, res) => {
    const at = new URL(req.url, self.url), query = at.searchParams;
    let body = '';
    for await (const part of req) body += part;
    if (at.pathname === '/authorize') {
      const code = randomUUID(), back = new URL(query.get('redirect_uri'));
      codes.set(code, { nonce: query.get('nonce'), client: query.get('client_id'), challenge: query.get('code_challenge') });
      back.search = new URLSearchParams({ state: query.get('state'), ...self.refuse ? { error: 'access_denied' } : { code } });
      return res.writeHead(302, { Location: back.href }).end();
    }
    if (at.pathname === '/end') {
      self.ended.push(query.get('post_logout_redirect_uri'));
      return res.writeHead(302, { Location: self.ended.at(-1) }).end();
    }
    return res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answers[at.pathname](new URLSearchParams(body))));
  });
  await new Promise((done) => http.listen(0, '127.0.0.1', done));
  self.url = `http://127.0.0.1:${http.address().port}`;
  self.stop = () => {
    http.closeAllConnections();
    return new Promise((done) => http.close(done));
  };
  return self;
}
