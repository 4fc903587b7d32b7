#!/bin/sh
# Calls the whole API as its OpenAPI document describes it, well and badly
# formed, by schemathesis: on an open server, on one that knows its callers by
# key, and on that without a key. An answer of 5xx fails, and so does one whose
# status, type or form the document does not have.
#
# Not checked are two things that the document can't say: that some fields
# exclude each other, and that null is as good as absent. /v1/events is left to
# a test of httpapi, which holds its answers to the document, and to the fuzz
# targets there: schemathesis waits for the end of each answer.
#
# EDITLOCK_LONG=1 tries many more, with another seed each time.
set -eu

cd "$(dirname "$0")/../tests/api"
PYTHON=${PYTHON:-python3}

. ../../scripts/environment.sh
environment .venv "$PYTHON" requirements.txt

dir=$(mktemp -d)
server=
key= # of the server, for calls; shown nowhere
stop() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  server=
}
trap 'stop; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
program "$dir/editlock"

# serve FLAGS...: starts a server and sets url.
serve() {
  stop
  : >"$dir/log"
  "$EDITLOCK_BIN" serve --store memory: --listen 127.0.0.1:0 "$@" >"$dir/out" 2>"$dir/log" &
  server=$!
  url=
  while [ -z "$url" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
    url=$(sed -n 's/.*address=\(127\.0\.0\.1:[0-9]*\).*/http:\/\/\1/p' "$dir/log" | head -n 1)
    [ -n "$url" ] || sleep 0.1
  done
}

examples=8
seed="--seed 7"
if [ -n "${EDITLOCK_LONG:-}" ]; then
  examples=2000
  seed=
fi

# call EXAMPLES FLAGS...: calls the server.
call() {
  n=$1
  shift
  # shellcheck disable=SC2086 # none or two words
  SCHEMATHESIS_HOOKS=hooks PYTHONPATH=. .venv/bin/schemathesis run "$url/openapi.json" \
    --exclude-path /v1/events --phases examples,coverage,fuzzing --max-examples "$n" $seed --checks all \
    --exclude-checks positive_data_acceptance,negative_data_rejection \
    --continue-on-failure --request-timeout 60 --warnings off "$@" >"$dir/run" 2>&1 || {
    sed "s/${key:-no key}/KEY/g" "$dir/run"
    echo "api: the server's log ends with" >&2
    tail -n 20 "$dir/log" >&2
    exit 1
  }
  sed -n 's/^  *\([0-9]* generated.*\)/api: \1/p' "$dir/run"
  if grep -q 'panic in a handler' "$dir/log"; then
    grep 'panic in a handler' "$dir/log" >&2
    exit 1
  fi
}

echo "api: open, on loopback"
serve
call "$examples"

echo "api: with keys"
"$EDITLOCK_BIN" keys create api --keys "$dir/keys.json" --right admin --group '*' --mode '*' \
  --as-user '*' --as-session '*' >"$dir/key" 2>"$dir/note" || { cat "$dir/note" >&2; exit 1; }
key=$(cat "$dir/key")
serve --keys "$dir/keys.json"
call "$examples" --header "Authorization: Bearer $key"

echo "api: with keys, without one"
call 5
