#!/bin/sh
# Checks what this machine can check of the packaging, as root:
#   packaging/check.sh
# Builds the release of this commit twice, elsewhere and from nothing, and
# compares; then debian/check.sh. TARGETS are those of release.sh, by default
# this machine's. Takes ten minutes.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "check.sh: $*" >&2; exit 1; }

arch=$(dpkg --print-architecture)
TARGETS=${TARGETS:-linux/$arch}
export TARGETS
git clone -q . "$work/one"
git clone -q . "$work/other/place"
(cd "$work/one" && packaging/release.sh 1.0.0 "$work/1")
# The second with nothing compiled before.
(cd "$work/other/place" && GOCACHE=$work/cache packaging/release.sh 1.0.0 "$work/2")
rm -rf "$work/cache"
diff -r "$work/1" "$work/2" >&2 || fail "two builds differ"
(cd "$work/1" && sha256sum --quiet -c SHA256SUMS)
echo "release: two builds in two folders are the same bytes"

(cd "$work/one" && TARGETS=linux/$arch WITHOUT_SBOM=1 packaging/release.sh 1.0.1 "$work/3")
packaging/debian/check.sh "$work/1/editlock_1.0.0_$arch.deb" "$work/3/editlock_1.0.1_$arch.deb"
