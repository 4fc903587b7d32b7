#!/bin/sh
# Checks "editlock mcp" with what others wrote: the protocol's conformance suite
# (npm), and its Python client. The suite needs Node 22; an older one is replaced
# by one from the npm registry, which stays in npm's cache.
set -eu

cd "$(dirname "$0")/../tests/mcp"
PYTHON=${PYTHON:-python3}

. ../../scripts/environment.sh
environment .venv "$PYTHON" requirements.txt

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
program "$dir/editlock"

npm ci --no-audit --no-fund --silent
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [ "$major" -ge 22 ]; then
  npm test --silent
else
  echo "mcp: Node $(node --version) is too old for the conformance suite; using Node 22 from npm"
  npm exec --yes --package=node@22 -- node conformance.mjs
fi
timeout 300 .venv/bin/pytest -q -p no:cacheprovider
