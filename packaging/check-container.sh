#!/bin/sh
# Builds the Containerfile and runs the image on a read-only root, as root but
# without a container engine's daemon and without a registry:
#   packaging/check-container.sh
# It needs buildah, busybox-static and iproute2. In the place of the image
# golang is this machine's Go with busybox; modules come from Go's own cache.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
end() {
	buildah umount --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
fail() { echo "check-container.sh: $*" >&2; exit 1; }
have() { [ "$1" = "$2" ] || fail "$3 is $1, not $2"; }
buildah() { command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
go=${GO:-go}

go_image=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' packaging/Containerfile)
base=$(buildah from scratch)
buildah config --env PATH=/usr/local/go/bin:/bin --env GOTOOLCHAIN=local --env GOPROXY=file:///modules --env GOSUMDB=off --env GOCACHE=/cache "$base"
buildah copy -q "$base" /bin/busybox /bin/busybox >/dev/null
buildah run --isolation chroot "$base" -- /bin/busybox sh -c '/bin/busybox --install -s /bin && mkdir -m 1777 -p /tmp'
buildah copy -q "$base" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
buildah commit -q "$base" "$go_image" >/dev/null

$go mod download
mkdir -p "$work/source"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$work/source"
buildah bud -q --isolation chroot --pull-never --format docker --build-arg VERSION=1.0.0 \
	-v "$($go env GOROOT):/usr/local/go:ro" -v "$($go env GOMODCACHE)/cache/download:/modules:ro" \
	-v "$($go env GOCACHE):/cache" \
	-f packaging/Containerfile -t editlock "$work/source" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "it does not build"; }

image() { buildah inspect --type image --format "{{$1}}" editlock; }
have "$(image .Docker.Config.User)" 65532:65532 "the user"
have "$(image .Docker.Config.Entrypoint)" "[/editlock serve]" "the entry point"
image .Docker.Config.Env | tr -d '[]' | tr ' ' '\n' | grep -qx EDITLOCK_SERVE_CONFIG=/etc/editlock/editlock.toml || fail "the configuration is not named"
health=$(image '(index .Docker.Config.Healthcheck.Test 1)')\ $(image '(index .Docker.Config.Healthcheck.Test 2)')
container=$(buildah from --pull-never editlock)
root=$(buildah mount "$container")
files=$(cd "$root" && find . -type f -printf '%P %m %u\n' | sort | tr '\n' ';')
have "$files" "editlock 755 root;etc/editlock/editlock.toml 644 root;etc/ssl/certs/ca-certificates.crt 644 root;health 755 root;" "what is in it"
echo "image: $(du -sk --apparent-size "$root" | cut -f1) KiB in $files"

mkdir -p "$work/etc"
cp -a "$root/var/lib/editlock" "$work/state"
cp packaging/container.toml "$work/etc/editlock.toml"
cat >"$work/try" <<'TRY'
set -eu
ip link set lo up
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$work/state" "$root/var/lib/editlock"
mount --bind "$work/etc" "$root/etc/editlock"
fail() { echo "check-container.sh: $*" >&2; cat "$work/server" >&2; [ -z "${server:-}" ] || kill "$server"; exit 1; }
in_image() { # as the engine would
	${run:-} env -i EDITLOCK_SERVE_CONFIG=/etc/editlock/editlock.toml EDITLOCK_CREDENTIAL="${key:-}" \
		"$(command -v chroot)" --userspec=65532:65532 --groups= "$root" "$@"
}
serve() {
	{ run=exec; in_image /editlock serve; } >"$work/server" 2>&1 &
	server=$!
	for _ in $(seq 100); do
		! in_image $health 2>/dev/null || return 0
		kill -0 "$server" || fail "the server ends"
		sleep 0.1
	done
	fail "it does not get well"
}
stop() { kill -TERM "$server"; wait "$server" || fail "it ends with status $?"; }

: >"$work/server"
in_image /editlock serve >"$work/server" 2>&1 && fail "it serves the network without knowing who calls"
grep -q 'can be reached from other machines' "$work/server" || fail "it does not say why it serves nobody"
! in_image $health 2>/dev/null || fail "it is well without a server"
key=$("$root/editlock" keys create check --right read,use --as-session "*" --as-user "*" --keys "$work/etc/keys" 2>/dev/null | sed -n 's/.*\(elk_[a-z0-9_]*\).*/\1/p')
chgrp 65532 "$work/etc/keys"
chmod 640 "$work/etc/keys"
echo 'keys = "keys"' >>"$work/etc/editlock.toml"
serve
in_image /editlock capture task/42 --session desk --store http://127.0.0.1:7117 >/dev/null
stop
serve
in_image /editlock request task/42 --json --store http://127.0.0.1:7117 | grep -q '"session":"desk"' || fail "the lock is lost"
stop
TRY
root=$root work=$work health=$health timeout 300 unshare --net --mount sh "$work/try"
echo "container: builds, refuses to serve strangers, gets well, keeps its locks, on a read-only root as user 65532"
