#!/bin/sh
# Installs a Debian package in a Debian that runs systemd in a container, uses
# it, upgrades it, removes and purges it. As root:
#   packaging/debian/check.sh PACKAGE NEWER_PACKAGE
# It needs debootstrap, systemd-container and lintian. BASE is a folder that
# debootstrap made before, with the packages below; it is copied.
set -eu
[ $# = 2 ] || { sed -n '2,6s/^# *//p' "$0" >&2; exit 2; }
work=$(mktemp -d)
nspawn='' leader=''
fail() {
	echo "check.sh: $*" >&2
	[ -z "$leader" ] || inside journalctl --no-pager -u editlock -n 30 >&2 || true
	exit 1
}
inside() { # a command in the container
	nsenter -t "$leader" -m -u -i -n -p -C -r -w -- \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C EDITLOCK_STORE=http://127.0.0.1:7117 "$@"
}
end() {
	[ -z "$leader" ] || kill -KILL "$leader" 2>/dev/null || true
	[ -z "$nspawn" ] || wait "$nspawn" 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM

lintian --allow-root --fail-on error,warning "$1" || fail "lintian finds faults in $1"

root=$work/root
if [ -n "${BASE:-}" ]; then
	cp -a "$BASE" "$root"
else
	debootstrap --variant=minbase --include=systemd-sysv,adduser,curl bookworm "$root" >"$work/debootstrap.log" ||
		{ tail "$work/debootstrap.log" >&2; fail "debootstrap failed"; }
fi
mkdir "$root/packages"
cp "$1" "$root/packages/first.deb"
cp "$2" "$root/packages/next.deb"

systemd-nspawn --quiet --directory="$root" --boot --register=no --keep-unit --private-network >"$work/boot.log" 2>&1 </dev/null &
nspawn=$!
for _ in $(seq 300); do
	leader=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null | awk '{ print $NF }')
	case $(cat "/proc/${leader:-none}/comm" 2>/dev/null) in
	systemd) case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) break ;; esac ;;
	esac
	kill -0 "$nspawn" 2>/dev/null || break
	sleep 0.2
done
if [ -z "$leader" ] || ! inside systemctl list-units >/dev/null 2>&1; then
	cat "$work/boot.log" >&2
	fail "systemd-nspawn starts no systemd here (in many containers it may not). NOT CHECKED: installation, start, upgrade, removal and purge of the package"
fi

# files lists what a package could leave behind: all but logs and caches, what
# systemd keeps of timers and random seeds, and copies that dpkg and passwd make.
files() {
	inside find /etc /usr /var /opt /home /root /lib/systemd/ -printf '%p %M %u:%g\n' | LC_ALL=C sort -u |
		grep -Ev '^/var/(log|cache|tmp|lib/systemd|lib/private)/|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)- |^/var/lib/dpkg/[a-z]+-old |^/etc/\.pwd\.lock |^/var/lib/systemd/deb-systemd-helper-'
	inside getent passwd
	inside getent group
}
ready() { inside curl -fsS --retry 30 --retry-connrefused --retry-delay 1 -o /dev/null http://127.0.0.1:7117/readyz 2>/dev/null || fail "$1: it does not get ready"; }
# held expects task/42 to be held by the one who captured it, by the same token.
held() {
	inside editlock request task/42 --json | grep -q '"session":"desk".*"token":1,' || fail "$1: the lock is lost"
	inside editlock capture task/42 --session other >/dev/null 2>&1 && fail "$1: the lock is given to another" || true
}
version() { inside dpkg-query -W -f '${Version}' editlock; }

files >"$work/before"
inside dpkg --install /packages/first.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; fail "it does not install"; }
inside systemctl is-active --quiet editlock || fail "install: it is not started"
inside systemctl is-enabled --quiet editlock || fail "install: it is not enabled"
ready install
inside systemd-analyze verify editlock.service >"$work/verify" 2>&1 && [ ! -s "$work/verify" ] || # its status is 0 for most
	{ cat "$work/verify" >&2; fail "systemd finds faults in the unit"; }
inside systemd-analyze security --no-pager --threshold=20 editlock.service >"$work/security" ||
	{ cat "$work/security" >&2; fail "the unit is exposed by more than 2.0"; }
grep Overall "$work/security"
[ "$(inside ps -o user= -C editlock 2>/dev/null || inside stat -c %U "/proc/$(inside systemctl show -P MainPID editlock)")" = editlock ] ||
	fail "it does not run as editlock"
[ "$(inside editlock version | grep -c "$(version)")" = 1 ] || fail "the binary is not of the package's version"
inside env -u EDITLOCK_STORE editlock config --check --config /etc/editlock/editlock.toml >/dev/null || fail "the configuration is refused"
inside dpkg --verify editlock | grep . && fail "installed files are not those of the package"

inside editlock capture task/42 --session desk >/dev/null
held capture
inside systemctl kill --signal=KILL editlock
inside sleep 1.5 # RestartSec
ready "kill -9"
held "kill -9"

inside sh -c 'echo "# mine" >>/etc/editlock/editlock.toml'
before=$(version)
inside dpkg --install /packages/next.deb >"$work/dpkg.log" 2>&1 </dev/null || { cat "$work/dpkg.log" >&2; fail "it does not upgrade"; }
ready upgrade
held upgrade
[ "$(version)" != "$before" ] || fail "the second package has the version of the first"
[ "$(inside editlock version | grep -c "$(version)")" = 1 ] || fail "upgrade: the binary is not of the package's version"
inside grep -q '^# mine$' /etc/editlock/editlock.toml || fail "upgrade: a change of the configuration is lost"
[ "$(inside stat -c %U:%G:%a /etc/editlock/editlock.toml)" = root:editlock:640 ] || fail "upgrade: the configuration has other rights"

inside dpkg --remove editlock >/dev/null
inside test ! -e /usr/bin/editlock || fail "remove: the program is still there"
inside test -s /var/lib/editlock/locks.db || fail "remove: the locks are gone"
inside grep -q '^# mine$' /etc/editlock/editlock.toml || fail "remove: the configuration is gone"
inside systemctl is-active --quiet editlock && fail "remove: it still runs"
inside dpkg --install /packages/next.deb >/dev/null 2>&1
ready "install after removal"
held "install after removal"

inside dpkg --purge editlock >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; fail "it does not purge"; }
files >"$work/after"
diff "$work/before" "$work/after" >&2 || fail "purge left the above"
echo "Debian package: installs, serves, survives kill -9, upgrades, removes and purges cleanly"
