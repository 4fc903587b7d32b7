#!/bin/sh
# Builds a release for all systems into a folder, the same bytes each time:
#   packaging/release.sh VERSION FOLDER
# Archives, Debian packages, Python wheels, the npm package, an SBOM (CycloneDX),
# and SHA256SUMS over all.
set -eu
[ $# = 2 ] || { sed -n '2,5s/^# *//p' "$0" >&2; exit 2; }
version=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local GOAMD64=v1 GOARM64=v8.0
sbom=github.com/CycloneDX/cyclonedx-gomod sbom_version=v1.10.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

build() { # os, architecture, file
	GOOS=$1 GOARCH=$2 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -buildid= -X github.com/editlock/editlock/internal/cli.release=$version" -o "$3" ./cmd/editlock
}
NATIVE=$work/native
export NATIVE
build "$(go env GOHOSTOS)" "$(go env GOHOSTARCH)" "$NATIVE"

for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}; do
	os=${target%/*} arch=${target#*/}
	name=editlock_${version}_${os}_$arch
	exe=editlock
	[ "$os" != windows ] || exe=editlock.exe
	mkdir "$work/$name"
	build "$os" "$arch" "$work/$name/$exe"
	cp LICENSE README.md CHANGELOG.md "$work/$name"
	find "$work/$name" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" |
		gzip -9n >"$out/$name.tar.gz"
	[ "$os" != linux ] || packaging/debian/build.sh "$work/$name/$exe" "$version" "$arch" "$out"
done

# The packages of Python and npm, from copies that state this version.
mkdir "$work/parts"
git ls-files client | tar -cf - -T - | tar -C "$work/parts" -xf -
scripts/version.sh "$version" "$work/parts"
find "$work/parts" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check -r packaging/requirements-wheels.txt
for part in editlock m3_mutex; do
	cp LICENSE "$work/parts/client/python/$part"
	"$work/venv/bin/pip" wheel -q --disable-pip-version-check --no-build-isolation --no-deps \
		-w "$out" "$work/parts/client/python/$part"
done
npm pack --silent --pack-destination "$out" "$work/parts/client/js" >/dev/null
mv "$out/editlock-$version.tgz" "$out/editlock_${version}_npm.tgz"

# What the program is made of, by the modules that its packages come from.
if [ -z "${WITHOUT_SBOM:-}" ]; then
	mkdir "$work/sbom" # a module of its own, which needs no list of the tool's versions
	printf 'module sbom\n\ngo 1.26.0\n\nrequire %s %s\n' "$sbom" "$sbom_version" >"$work/sbom/go.mod"
	(cd "$work/sbom" && GOFLAGS=-mod=mod go build -o "$work/cyclonedx-gomod" "$sbom/cmd/cyclonedx-gomod")
	GOOS=linux GOARCH=amd64 "$work/cyclonedx-gomod" app -json -noserial -main cmd/editlock -output "$work/sbom.json" .
	# The time is the only thing in it that changes from run to run.
	sed '/^ *"timestamp":/d' "$work/sbom.json" >"$out/editlock_$version.cdx.json"
fi
(cd "$out" && rm -f SHA256SUMS && LC_ALL=C sha256sum editlock[-_]*"$version"* >SHA256SUMS)
