#!/bin/sh
# Checks what this machine can check of the packaging, as root:
#   packaging/check.sh FOLDER
# FOLDER is a Debian made by debootstrap --variant=minbase --include=init-system-helpers.
set -eu
[ $# = 1 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }
root=$1
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "check.sh: $*" >&2; exit 1; }

arch=$(dpkg --print-architecture)
TARGETS=linux/$arch packaging/release.sh 1.0.0 "$work/1"
# Again with nothing compiled before, and from another path.
git clone -q . "$work/clone"
(cd "$work/clone" && TARGETS=linux/$arch GOCACHE=$work/cache packaging/release.sh 1.0.0 "$work/2")
rm -rf "$work/cache"
cmp "$work/1/SHA256SUMS" "$work/2/SHA256SUMS" || fail "two builds differ"
(cd "$work/1" && sha256sum --quiet -c SHA256SUMS)

first=$work/1/editlock_1.0.0_$arch.deb
tar -C "$work" -xzf "$work/1/editlock_1.0.0_linux_$arch.tar.gz"
packaging/debian/build.sh "$work/editlock_1.0.0_linux_$arch/editlock" 1.0.1 "$arch" "$work"
next=$work/editlock_1.0.1_$arch.deb
conf=$root/etc/editlock/editlock.toml
# Links point to where things are once the folder is the root, so -L counts.
present() { [ -e "$root/$1" ] || [ -L "$root/$1" ] || fail "$2: $1 is missing"; }
absent() { [ ! -e "$root/$1" ] && [ ! -L "$root/$1" ] || fail "$2: $1 is still there"; }

dpkg --root="$root" --install "$first" >/dev/null
present usr/bin/editlock install
present etc/systemd/system/multi-user.target.wants/editlock.service install
chroot "$root" /usr/bin/editlock version | grep -q "1\.0\.0" || fail "the binary does not run, or not as 1.0.0"
chroot "$root" /usr/bin/editlock config --check --config /etc/editlock/editlock.toml >/dev/null || fail "the configuration is refused"
chroot "$root" dpkg --verify editlock | grep . && fail "installed files are not those of the package"

echo "# mine" >>"$conf"
dpkg --root="$root" --install "$next" >/dev/null
grep -q '^# mine$' "$conf" || fail "the upgrade lost a change to $conf"
[ "$(dpkg-query --root="$root" -W -f '${Version}' editlock)" = 1.0.1 ] || fail "not upgraded"

mkdir -p "$root/var/lib/editlock"
dpkg --root="$root" --remove editlock >/dev/null
absent usr/bin/editlock remove
present etc/editlock/editlock.toml remove
present var/lib/editlock remove
dpkg --root="$root" --install "$next" >/dev/null
present etc/systemd/system/multi-user.target.wants/editlock.service "install after removal"
dpkg --root="$root" --purge editlock >/dev/null
for path in usr/bin/editlock etc/editlock var/lib/editlock lib/systemd/system/editlock.service \
	etc/systemd/system/multi-user.target.wants/editlock.service etc/systemd/system/editlock.service; do
	absent "$path" purge
done
echo "packaging: reproducible; installs, upgrades, removes and purges cleanly"
