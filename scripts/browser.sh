#!/bin/sh
# Checks the browser client (is dist what src gives, does it fit its budget,
# can its package be used), and runs the browser tests, by the Node and the
# browsers of this machine if they will do. Debian's own Node may be too old:
# then one from the npm registry, which stays in npm's cache. Ubuntu has no
# Chromium but a snap: then Playwright's own. Without a Firefox its scenarios are left out.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

cd "$(dirname "$0")/.."
tests='(cd client/js && npm ci --no-audit --no-fund && npm test) &&
  cd tests/browser && npm ci --no-audit --no-fund'
if [ -z "${CHROMIUM:-}" ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
  tests="$tests && npx playwright install --with-deps chromium &&
    CHROMIUM=\$(node -p \"require('playwright-core').chromium.executablePath()\") npm test"
else
  tests="$tests && npm test"
fi
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$major" -ge 20 ]; then
  sh -c "$tests"
else
  echo "browser: Node $(node --version) is too old for Playwright; using Node 22 from npm"
  npm exec --yes --package=node@22 -- sh -c "$tests"
fi
