#!/bin/sh
# Finds what the tests need beside Go, and installs what is missing where
# apt-get and the right to use it are at hand.
#
#   setup.sh            everything
#   setup.sh browser    only what the browser tests need
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

missing=
need() { # command, packages
  have "$1" || missing="$missing $2"
}

if [ "${1:-}" != browser ]; then
  need gcc "gcc libc6-dev" # the race detector is linked by it
  need curl curl           # the README's examples are run as written
  # The engines' servers; a variable names one that runs already.
  if [ -z "${EDITLOCK_TEST_POSTGRES_URL:-}" ] && ! have initdb && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    missing="$missing postgresql"
  fi
  need pgbouncer pgbouncer
  [ -n "${EDITLOCK_TEST_MARIADB_URL:-}" ] || have mariadbd || [ -x /usr/sbin/mariadbd ] || missing="$missing mariadb-server"
  [ -n "${EDITLOCK_TEST_REDIS_URL:-}" ] || need redis-server redis-server
  [ -n "${EDITLOCK_TEST_ETCD_URL:-}" ] || need etcd etcd-server
fi
[ -x /usr/sbin/nginx ] || need nginx nginx # waits behind a proxy
need node nodejs
need npm npm
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3 python3-venv" # the example of Django
[ -n "${CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome || missing="$missing chromium"
# Firefox runs some scenarios, too; they are skipped where it can't be installed.
# Chromium without its window is quicker; without it the whole one runs all scenarios.
optional=
[ -n "${FIREFOX:-}" ] || have firefox-esr || have firefox || optional=" firefox-esr"
[ -n "${CHROMIUM:-}${CHROMIUM_SHELL:-}" ] || have chromium-headless-shell || optional="$optional chromium-headless-shell"

[ -n "$missing$optional" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
  if have sudo && sudo -n true 2>/dev/null; then sudo="sudo -n"; else sudo=none; fi
fi
if ! have apt-get || [ "$sudo" = none ]; then
  [ -n "$missing" ] || exit 0
  echo "setup: missing:$missing. Install them (as root: apt-get install$missing) and try again." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >&2 || [ -z "$missing" ] || exit 1
if ! apt-cache show chromium >/dev/null 2>&1; then
  # Ubuntu has none but a snap: the browser tests fetch their own.
  missing=$(printf '%s' "$missing" | sed 's/ chromium$//')
fi
# install installs packages, a list of words.
install() {
  [ -n "$1" ] || return 0
  echo "setup: installing$1"
  # shellcheck disable=SC2086 # a list of words
  $sudo apt-get install -y -q --no-install-recommends $1 >&2
}
install "$missing"
for package in $optional; do
  ! apt-cache show "$package" >/dev/null 2>&1 || install " $package" || echo "setup: goes on without $package" >&2
done
