// Locks the parts of a form that Django rendered within <edit-lock>, with the settings
// that the page has in #editlock-parts.

import { Editlock } from './editlock.js';
import { tokens } from './tokens.js';

const { server, owner, token, token_url: tokenURL } = JSON.parse(document.getElementById('editlock-parts').textContent);
const client = new Editlock({ server, owner, token: tokens(token, tokenURL) });
for (const element of document.querySelectorAll('edit-lock[object-part]')) element.client = client;
import('./element.js'); // which takes up the client
