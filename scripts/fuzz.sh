#!/bin/sh
# Runs every fuzz target of the module for a while, one after the other:
#
#   fuzz.sh GO TIME [PATTERN]
#
# PATTERN (of grep -E) picks from lines such as "./server/httpapi FuzzQuery". Prints a
# line per target, and what was found; ends with 1 if anything was.
# GOMAXPROCS limits the processes of a target. Inputs are made small for two
# seconds only: by itself Go would take its whole time for the first that is new.
set -eu

go=$1 time=$2 pattern=${3:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

root=$("$go" list -m -f '{{.Dir}}')
"$go" list -f '{{range .TestGoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}' ./... |
  while read -r file; do
    [ -n "$file" ] || continue
    dir=$(dirname "$file")
    sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|.${dir#"$root"} \1|p" "$file"
  done | grep -E -- "$pattern" >"$work/targets" || { echo "fuzz: no target matches $pattern" >&2; exit 2; }

found=0
while read -r package target; do
  state=first
  until "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 2s "$package" >"$work/log" 2>&1 </dev/null; do
    # Before 1.27 Go may take the end of the time for a failure (go.dev/issue/75804).
    if ! grep -qx '    context deadline exceeded' "$work/log" || grep -q 'Failing input written' "$work/log"; then
      state=failed
      break
    fi
    [ $state = first ] || { state=cut; break; }
    state=second
  done
  last=$(grep '^fuzz: elapsed' "$work/log" | tail -n 1)
  printf '%-28s %-24s %s\n' "$package" "$target" "${last#fuzz: elapsed: }"
  case $state in
  failed) found=1 && cat "$work/log" ;;
  cut) echo "  found nothing, but could not end in time, twice: it needs more than $time" ;;
  esac
done <"$work/targets"

[ $found = 0 ] || { echo "fuzz: failures, see above; failing inputs are in testdata/fuzz" >&2; exit 1; }
