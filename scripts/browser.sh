#!/bin/sh
# Runs the browser tests, by the Node and the Chromium of this machine if they
# will do. Debian's own Node may be too old: then one from the npm registry,
# which stays in npm's cache. Ubuntu has no Chromium but a snap: then
# Playwright's own.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

cd "$(dirname "$0")/../tests/browser"
tests='npm ci --no-audit --no-fund && npm test'
if [ -z "${CHROMIUM:-}" ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
  tests='npm ci --no-audit --no-fund && npx playwright install --with-deps chromium &&
    CHROMIUM=$(node -p "require(\"playwright-core\").chromium.executablePath()") npm test'
fi
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$major" -ge 20 ]; then
  sh -c "$tests"
else
  echo "browser: Node $(node --version) is too old for Playwright; using Node 22 from npm"
  npm exec --yes --package=node@22 -- sh -c "$tests"
fi
