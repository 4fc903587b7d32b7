#!/bin/sh
# Checks what no test sees: verify.sh GO TOOL
#   - the modules are the ones that the go.sum files name
#   - generated files are what "make generate" would write
#   - the architecture's rules bite: a copy of the tree with one violation
#     planted for each rule must be found guilty of every one
set -eu

go=$1 tool=$2

echo "verify: modules"
"$go" mod verify
# Go finds no archive of the module that is the folder above, and says so.
if bad=$("$go" -C bench mod verify 2>&1 | grep -vE '^(all modules verified|github\.com/editlock/editlock v0\.0\.0: missing ziphash.*)$'); then
  printf '%s\n' "$bad" >&2
  exit 1
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 tar cf - | tar xf - -C "$copy"

echo "verify: generated files"
before=$(mktemp -d)
trap 'rm -rf "$copy" "$before"' EXIT
cp -r "$copy/." "$before"
(cd "$copy" && "$go" generate ./...)
(cd "$copy" && scripts/version.sh)
if ! diff -r "$before" "$copy"; then
  echo "verify: generated files are out of date: run \"make generate\"" >&2
  exit 1
fi

echo "verify: the rules bite"
plants=
plant() { # file, linter, and the text of the file
  mkdir -p "$copy/$(dirname "$1")"
  printf '%s\n' "$3" >"$copy/$1"
  plants="$plants $1:$2"
}
imports() { printf 'package %s\n\nimport _ "%s"\n' "$1" "$2"; }
clock() { printf 'package %s\n\nimport "time"\n\nvar planted = time.Now()\n' "$1"; }

plant planted.go depguard "$(imports editlock github.com/google/go-cmp/cmp)"
plant store/planted.go depguard "$(imports store github.com/google/btree)"
plant store/kv/planted.go depguard "$(imports kv github.com/editlock/editlock/store)"
plant store/core/planted.go depguard "$(imports core github.com/google/btree)"
plant store/memory/planted.go depguard "$(imports memory github.com/editlock/editlock/store/redis)"
plant store/sqlite/planted.go depguard "$(imports sqlite github.com/editlock/editlock)"
plant store/sqlite/backup/planted.go depguard "$(imports backup github.com/editlock/editlock/store/sqlite)"
plant server/httpapi/planted.go depguard "$(imports httpapi github.com/editlock/editlock/store/memory)"
plant client/planted.go depguard "$(imports client github.com/editlock/editlock/store)"
plant examples/demo/planted.go depguard "$(imports demo github.com/editlock/editlock/store/sqlite)"
plant internal/cli/planted.go depguard "$(imports cli github.com/editlock/editlock/store/sqlite)"
plant internal/mcp/planted.go depguard "$(imports mcp github.com/editlock/editlock/store)"
plant internal/wire/planted.go depguard "$(imports wire github.com/google/go-cmp/cmp)"
plant internal/config/planted.go depguard "$(imports config github.com/spf13/cobra)"
plant server/telemetry/planted.go depguard "$(imports telemetry github.com/editlock/editlock/server/httpapi)"
plant server/auth/planted.go depguard "$(imports auth github.com/editlock/editlock/store/memory)"
plant server/access/planted.go depguard "$(imports access github.com/editlock/editlock/store/memory)"
plant server/presence/planted.go depguard "$(imports presence github.com/editlock/editlock/store)"
plant guard/planted.go depguard "$(imports guard github.com/editlock/editlock/client)"
plant locktest/planted.go depguard "$(imports locktest github.com/editlock/editlock/store/memory)"
plant bench/contender/planted.go depguard "$(imports main github.com/editlock/editlock/store)"
plant store/clock.go forbidigo "$(clock store)"
plant store/core/clock.go forbidigo "$(clock core)"
plant store/postgres/planted.go forbidigo "$(clock postgres)"
plant store/postgres/imports.go depguard "$(imports postgres github.com/editlock/editlock/store)"
plant store/mariadb/planted.go forbidigo "$(clock mariadb)"
plant store/redis/planted.go forbidigo "$(clock redis)"
plant store/etcd/planted.go forbidigo "$(clock etcd)"
plant store/etcd/imports.go depguard "$(imports etcd github.com/editlock/editlock/store)"

rules="golangci-lint run --allow-parallel-runners --enable-only=depguard,forbidigo --output.text.colors=false ./..."
found=$(
  cd "$copy"
  $tool $rules 2>&1 || true
  cd bench
  $tool $rules 2>&1 || true
)
status=0
for p in $plants; do
  file=${p%:*} linter=${p#*:}
  if printf '%s\n' "$found" | grep -q "^$file:[0-9:]* .*($linter)"; then
    echo "  $linter found $file"
  else
    echo "verify: $linter did not find $file" >&2
    status=1
  fi
done
[ "$status" = 0 ] || printf '%s\n' "$found" >&2
exit "$status"
