#!/bin/sh
# The inner loop: vets, lints and tests the packages whose files differ from
# main's, committed or not, in a minute with warm caches:
#
#   check.sh GO TOOL [BASE]
#
# BASE is what to compare with, by default main, or on main itself the last
# commit. Tests run with -short. Packages that start databases and servers as
# processes are only vetted and linted; "make test" runs their tests.
set -eu

go=$1 tool=$2 base=${3:-}
cd "$(dirname "$0")/.."
if [ -z "$base" ]; then
  base=HEAD
  ! git rev-parse --quiet --verify main >/dev/null || base=$(git merge-base HEAD main)
fi

# packages reads files, and prints the nearest folder above each that has Go files:
# the root for its own Go files only.
packages() {
  while read -r file; do
    dir=$(dirname "$file")
    while [ "$dir" != . ] && ! ls "$dir"/*.go >/dev/null 2>&1; do dir=$(dirname "$dir"); done
    case $dir:$file in
    .:*/* | .:*[!o] | .:*[!g]o) ;;
    .:*) echo . ;;
    *) echo "./$dir" ;;
    esac
  done | sort -u
}

changed=$({ git diff --name-only --relative "$base"; git ls-files --others --exclude-standard; } | packages | grep -vE '^\./(bench|tools)(/|$)' || true)
[ -n "$changed" ] || { echo "check: no package differs from $(git rev-parse --short "$base")"; exit 0; }
quick=$(printf '%s\n' "$changed" | grep -vE '^\./(tests/.*|store/(postgres|mariadb|redis|etcd)|connect|cmd/editlock|docs)$' || true)
# shellcheck disable=SC2086 # lists of words
{
  echo "check:" $changed
  "$go" vet $changed
  $tool golangci-lint run $changed
  [ -z "$quick" ] || "$go" test -vet=off -short $quick
}
