#!/bin/sh
# Writes a version into every part that states one: the Python packages and the
# npm package. The program learns its own when it is built.
#   scripts/version.sh [VERSION [FOLDER]]
# VERSION is by default what the file VERSION says, FOLDER this checkout.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
version=${1:-$(cat "$root/VERSION")}
cd "${2:-$root}"
for part in client/python/editlock client/python/m3_mutex; do
  sed -i.bak -E "s/^(version = )\".*\"/\\1\"$version\"/; s/^(dependencies = \\[\"editlock==)[^\"]*/\\1$version/" "$part/pyproject.toml"
  rm "$part/pyproject.toml.bak"
done
# Of the lock file, the package's own two lines, and none of what it requires.
sed -i.bak -E "1,/\"version\"/s/\"version\": \".*\"/\"version\": \"$version\"/" client/js/package.json
sed -i.bak -E "1,/\"license\"/s/\"version\": \".*\"/\"version\": \"$version\"/" client/js/package-lock.json
rm client/js/package.json.bak client/js/package-lock.json.bak
