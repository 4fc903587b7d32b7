#!/bin/sh
# Builds the release of this commit twice, in two folders, the second time with
# nothing compiled before, and expects the same bytes:
#   packaging/check.sh [FOLDER]
# FOLDER gets the Debian packages, and one of a version later. TARGETS are those
# of release.sh, by default all.
set -eu
out=${1:-}
[ -z "$out" ] || out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
fail() { echo "check.sh: $*" >&2; exit 1; }

git clone -q . "$work/one"
git clone -q . "$work/other/place"
(cd "$work/one" && packaging/release.sh 1.0.0 "$work/1")
(cd "$work/other/place" && GOCACHE=$work/cache packaging/release.sh 1.0.0 "$work/2")
rm -rf "$work/cache"
diff -r "$work/1" "$work/2" >&2 || fail "two builds differ"
(cd "$work/1" && sha256sum --quiet -c SHA256SUMS)
for part in editlock-1.0.0-py3-none-any.whl editlock_m3_mutex-1.0.0-py3-none-any.whl editlock_1.0.0_npm.tgz; do
	grep -q " $part\$" "$work/1/SHA256SUMS" || fail "there is no $part"
done
echo "release: two builds in two folders are the same bytes: $(wc -l <"$work/1/SHA256SUMS") files"

if [ -n "$out" ]; then
	arch=$(dpkg --print-architecture)
	cp "$work/1"/*.deb "$out"
	(cd "$work/one" && TARGETS=linux/$arch WITHOUT_SBOM=1 packaging/release.sh 1.0.1 "$work/3")
	cp "$work/3"/*.deb "$out"
fi
