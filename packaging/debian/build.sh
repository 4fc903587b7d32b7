#!/bin/sh
# Builds a Debian package of a Linux binary, the same bytes each time:
#   packaging/debian/build.sh BINARY VERSION ARCHITECTURE FOLDER
# The architecture is Debian's: amd64 or arm64.
set -eu
[ $# = 4 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }
binary=$1 version=$2 arch=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
: "${SOURCE_DATE_EPOCH:=$(git -C "$here" log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 755 "$root"

install -D -m 755 "$binary" "$root/usr/bin/editlock"
install -D -m 644 "$here/../editlock.service" "$root/lib/systemd/system/editlock.service"
install -D -m 640 "$here/editlock.toml" "$root/etc/editlock/editlock.toml"
install -D -m 644 "$here/../../LICENSE" "$root/usr/share/doc/editlock/copyright"

mkdir "$root/DEBIAN"
size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
cat >"$root/DEBIAN/control" <<CONTROL
Package: editlock
Version: $version
Architecture: $arch
Maintainer: The editlock authors <editlock@localhost>
Installed-Size: $size
Depends: init-system-helpers (>= 1.54)
Section: net
Priority: optional
Description: locks with human owners
 Named locks that tell who is editing what since when, with fair queues,
 takeover, history and a page to manage them; a server and a command line.
CONTROL
echo /etc/editlock/editlock.toml >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
	install -m 755 "$here/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/md5sums"
mv "$root/md5sums" "$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$root" "$out/editlock_${version}_$arch.deb" >/dev/null
