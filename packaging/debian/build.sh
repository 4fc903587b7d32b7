#!/bin/sh
# Builds a Debian package of a Linux binary, the same bytes each time:
#   packaging/debian/build.sh BINARY VERSION ARCHITECTURE FOLDER
# The architecture is Debian's: amd64 or arm64. NATIVE is the same program for
# this machine, if BINARY is not; it prints the completions.
set -eu
[ $# = 4 ] || { sed -n '2,5s/^# *//p' "$0" >&2; exit 2; }
binary=$1 version=$2 arch=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
: "${SOURCE_DATE_EPOCH:=$(git -C "$here" log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root share=$work/root/usr/share
umask 022
mkdir -p "$root/DEBIAN" "$out"

install -D -m 755 "$binary" "$root/usr/bin/editlock"
install -D -m 644 "$here/../editlock.service" "$root/lib/systemd/system/editlock.service"
install -D -m 644 "$here/editlock.toml" "$root/etc/editlock/editlock.toml"
install -D -m 644 "$here/../../LICENSE" "$share/doc/editlock/copyright"
install -D -m 644 "$here/lintian-overrides" "$share/lintian/overrides/editlock"
mkdir -p "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d"
gzip -9nc "$here/editlock.1" >"$share/man/man1/editlock.1.gz"
complete=${NATIVE:-$binary}
"$complete" completion bash >"$share/bash-completion/completions/editlock"
"$complete" completion zsh >"$share/zsh/vendor-completions/_editlock"
"$complete" completion fish >"$share/fish/vendor_completions.d/editlock.fish"
gzip -9n >"$share/doc/editlock/changelog.gz" <<CHANGELOG
editlock ($version) stable; urgency=medium

  * editlock $version.

 -- The editlock authors <editlock@localhost>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGELOG

size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
cat >"$root/DEBIAN/control" <<CONTROL
Package: editlock
Version: $version
Architecture: $arch
Maintainer: The editlock authors <editlock@localhost>
Installed-Size: $size
Depends: adduser, init-system-helpers (>= 1.54)
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
(cd "$root" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$work/md5sums"
install -m 644 "$work/md5sums" "$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$root" "$out/editlock_${version}_$arch.deb" >/dev/null
