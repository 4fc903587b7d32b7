#!/bin/sh
# Checks what editlock is installed from, and installs what that needs where
# apt-get and the right to use it are at hand.
#
#   packages.sh          everything: a reproducible release, the Debian package
#                        in a Debian that runs systemd, the container
#   packages.sh quick    the Debian package by lintian, the unit by
#                        systemd-analyze, the Containerfile and the Kubernetes
#                        manifests by their checkers; what is not there is
#                        named, and left out
set -eu

cd "$(dirname "$0")/.."
GO=${GO:-go}
PYTHON=${PYTHON:-python3}
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

missing=
need() { # command, packages
  have "$1" || missing="$missing $2"
}
need lintian lintian
need systemd-analyze systemd
need dpkg-deb dpkg
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
if [ "${1:-}" != quick ]; then
  need debootstrap debootstrap
  need systemd-nspawn systemd-container
  need buildah buildah
  need busybox busybox-static
  need ip iproute2
  need git git
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
fi
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if [ -n "$missing" ] && have apt-get && $sudo true 2>/dev/null; then
  echo "packages: installing$missing"
  $sudo apt-get update -q >&2
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends $missing >&2
  missing=
fi
if [ -n "$missing" ] && [ "${1:-}" != quick ]; then
  echo "packages: missing:$missing; NOTHING was checked" >&2
  exit 1
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
left_out() { echo "packages: $1 is not here; NOT CHECKED: $2" >&2; }

if ! have dpkg-deb; then
  left_out dpkg-deb "the Debian package"
else
  CGO_ENABLED=0 "$GO" build -ldflags '-s -w' -o "$dir/editlock" ./cmd/editlock
  packaging/debian/build.sh "$dir/editlock" 1.0.0 "$(dpkg --print-architecture)" "$dir"
  if have lintian; then
    lintian --allow-root --fail-on error,warning "$dir"/editlock_*.deb
    echo "packages: lintian finds nothing in the Debian package"
  else
    left_out lintian "the Debian package's form"
  fi
fi
if have systemd-analyze; then
  sed "s|/usr/bin/editlock|$(command -v true)|" packaging/editlock.service >"$dir/editlock.service"
  # Its status is 0 for most of what it finds.
  said=$(systemd-analyze verify "$dir/editlock.service" 2>&1) && [ -z "$said" ] || { echo "$said" >&2; exit 1; }
  systemd-analyze security --offline=true --threshold=20 --no-pager "$dir/editlock.service" >"$dir/security" || { cat "$dir/security" >&2; exit 1; }
  sed -n 's/.*Overall \(.*\) [A-Z].*/packages: the unit has no faults; \1/p' "$dir/security"
else
  left_out systemd-analyze "the systemd unit"
fi

want=$("$PYTHON" --version; uname -m; cat packaging/requirements.txt)
if [ "$(cat packaging/.venv/made-of 2>/dev/null)" != "$want" ]; then
  rm -rf packaging/.venv
  "$PYTHON" -m venv packaging/.venv
  packaging/.venv/bin/pip install --quiet --disable-pip-version-check -r packaging/requirements.txt
  printf '%s' "$want" >packaging/.venv/made-of
fi
packaging/.venv/bin/hadolint packaging/Containerfile
packaging/.venv/bin/kubernetes-validate --strict --quiet packaging/kubernetes/*.yaml
echo "packages: the Containerfile and the Kubernetes manifests are well formed"
[ "${1:-}" != quick ] || exit 0

packaging/check.sh "$dir"
arch=$(dpkg --print-architecture)
failed=
$sudo packaging/debian/check.sh "$dir/editlock_1.0.0_$arch.deb" "$dir/editlock_1.0.1_$arch.deb" || failed=1
GO=$(command -v "$GO")
$sudo env GO="$GO" GOMODCACHE="$("$GO" env GOMODCACHE)" GOCACHE="$("$GO" env GOCACHE)" packaging/check-container.sh || failed=1
[ -z "$failed" ] || exit 1
