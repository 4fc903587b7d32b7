# Sourced by scripts that need Python, and the program.
#
# program FILE: sets EDITLOCK_BIN to EDITLOCK_PROGRAM, which was built for all
# tests, or else builds FILE.
program() {
  EDITLOCK_BIN=${EDITLOCK_PROGRAM:-}
  if [ -z "$EDITLOCK_BIN" ]; then
    EDITLOCK_BIN=$1
    CGO_ENABLED=0 "${GO:-go}" build -o "$EDITLOCK_BIN" github.com/editlock/editlock/cmd/editlock
  fi
  export EDITLOCK_BIN
}

#
# environment DIR PYTHON REQUIREMENTS...: makes a virtual environment of these files
# in DIR, unless it is there as required.
environment() {
  dir=$1
  python=$2
  shift 2
  want=$("$python" --version; cat "$@")
  [ "$(cat "$dir/made-of" 2>/dev/null)" = "$want" ] && return
  rm -rf "$dir"
  "$python" -m venv "$dir"
  for file in "$@"; do set -- "$@" -r "$file"; shift; done
  "$dir/bin/pip" install --quiet --disable-pip-version-check "$@"
  printf '%s' "$want" >"$dir/made-of"
}
