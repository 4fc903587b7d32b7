#!/bin/sh
# Checks the Python client and the drop-in for m3-mutex: style, types, and the
# tests against a real server, on this machine's python3 and on the oldest and
# the newest other Python from 3.9 on that it has. Environments are kept in
# client/python/.venv*.
#
#   python.sh          everything; with EDITLOCK_LONG=1 all of it on each Python
#   python.sh bench    captures per second, beside m3-mutex
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
GO=${GO:-go}
PYTHON=${PYTHON:-python3}

have() { command -v "$1" >/dev/null 2>&1; }

# python3, with what makes environments (Debian ships it apart).
if ! have "$PYTHON" || ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo="sudo -n"
  if ! have apt-get; then
    echo "python: needs python3 with venv" >&2
    exit 1
  fi
  $sudo apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends python3 python3-venv >&2
fi

. scripts/environment.sh

# The Pythons there are, one "version path" per line. pyenv's own commands
# of such names fail for versions that are not switched on.
pythons() {
  for minor in 9 10 11 12 13 14; do
    for python in "$(command -v python3.$minor || true)" "$HOME/.pyenv/versions/3.$minor."*/bin/python; do
      if [ -x "$python" ] && "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$("$python" -c 'import sys; print("3.%d" % sys.version_info[1])') $python"
        break
      fi
    done
  done
}

cd client/python
mkdir -p .venv-bin
program "$root/client/python/.venv-bin/editlock"
CGO_ENABLED=0 "$GO" build -o .venv-bin/ "$root/client/python/tests/goeditlock"
export EDITLOCK_TEST_GO="$root/client/python/.venv-bin/goeditlock"
export EDITLOCK_TEST_ORIGINAL="$root/client/python/.venv-original/bin/python"

environment .venv-original "$PYTHON" requirements-original.txt
if [ "${1:-}" = bench ]; then
  environment .venv-bench "$PYTHON" requirements-bench.txt
  shift
  exec .venv-bench/bin/python bench/pairs.py "$@"
fi

main=$("$PYTHON" -c 'import sys; print("3.%d" % sys.version_info[1])')
environment .venv-main "$PYTHON" requirements-test.txt
environment .venv-lint "$PYTHON" requirements-lint.txt requirements-test.txt
echo "python: style and types"
.venv-lint/bin/ruff check --quiet .
.venv-lint/bin/ruff format --quiet --check .
.venv-lint/bin/mypy --no-error-summary editlock/src m3_mutex/src tests bench
# A test that hangs has told where by then.
echo "python: tests on Python $main"
timeout 900 .venv-main/bin/pytest -q -n 6 --dist worksteal

others=$(pythons | awk -v main="$main" '$1 != main')
# All but what runs in other processes, whose Python is that of above. Only the
# long mode drives browsers again, and replays the scenarios with both clients.
which=test
leave="--deselect tests/test_m3_differential.py --deselect tests/test_m3_surface.py --deselect tests/test_m3_bridge.py"
if [ -z "${EDITLOCK_LONG:-}" ]; then
  which="not (test_scenarios and blocking)"
  leave="$leave --deselect tests/test_admin_browser.py --deselect tests/test_admin_themes.py"
fi
printf '%s\n' "$others" | sed -n '1p;$p' | sort -u | while read -r version python; do
  [ -n "$version" ] || continue
  echo "python: tests on Python $version"
  environment ".venv-$version" "$python" requirements-test.txt
  # shellcheck disable=SC2086 # a list of words
  timeout 900 ".venv-$version/bin/pytest" -q -n 6 --dist worksteal -k "$which" $leave
done
