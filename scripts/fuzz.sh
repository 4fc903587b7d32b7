#!/bin/sh
# Runs every fuzz target of the module for a while: fuzz.sh GO TIME
set -eu

go=$1 time=$2
"$go" list -f '{{range .TestGoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}' ./... |
  while read -r file; do
    [ -n "$file" ] || continue
    sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
      echo "== $target"
      "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$(dirname "$file")" </dev/null
    done
  done
