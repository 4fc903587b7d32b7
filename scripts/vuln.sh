#!/bin/sh
# Runs govulncheck (the arguments). Without a way to its database it says so
# and lets the rest go on; for every other reason it fails.
set -u

out=$("$@" 2>&1)
status=$?
printf '%s\n' "$out"
[ "$status" -ne 0 ] || exit 0
case $out in
  *"fetching vulnerabilities"*)
    echo "vuln: the vulnerability database is out of reach; NOT CHECKED" >&2
    exit 0 ;;
esac
exit "$status"
