# Sourced by scripts that need Python.
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
