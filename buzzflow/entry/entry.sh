#!/bin/sh
# Starts a step's code: /bin/sh entry.sh INTERPRETER ENTRY_POINT [ARGUMENT...]
#
# Puts the code on Python's path, installs its requirements, and becomes the script, so that signals and the exit code
# are the script's own. POSIX sh, because an image may have no Python: then a shell script runs with what is known here.
set -u

fail() { # STATUS MESSAGE
  echo "buzzflow: $2" >&2
  exit "$1"
}

has() { command -v "$1" >/dev/null 2>&1; }

[ $# -ge 2 ] || fail 2 "usage: entry.sh INTERPRETER ENTRY_POINT [ARGUMENT...]"
interpreter=$1
script=$2
shift 2

case $0 in
*/*) here=${0%/*} ;;
*) here=. ;;
esac
here=$(CDPATH='' cd -- "${here:-/}" && pwd) || fail 1 "cannot find the folder of $0"
[ -f "$here/$script" ] || fail 1 "$script is not in the code bundle $here"

# ---- which Python: the script's own if it is a Python script, else the image's

if [ "$interpreter" = python3 ] && ! has python3 && has python; then interpreter=python; fi
case ${interpreter##*/} in
python*) python=$interpreter ;;
*) if has python3; then python=python3; else python=python; fi ;;
esac
if ! has "$python"; then
  python=
elif [ "${python##*/}" = python ] && ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null; then
  [ "$python" != "$interpreter" ] || fail 1 "the image's $python is older than Python 3.6"
  python=
fi
if [ "$interpreter" = torchrun ]; then # a module of Python's, which entry.py starts on every machine
  [ -n "$python" ] || fail 127 "the image has no Python, which torchrun needs"
else
  has "$interpreter" || fail 127 "the image has no $interpreter, which $script needs"
fi

# ---- requirements: before PYTHONPATH is set, because a step's own types.py or queue.py would break pip

if [ -f "$here/requirements.txt" ] && [ "${BUZZFLOW_REQUIREMENTS:-}" != installed ]; then
  [ -n "$python" ] || fail 1 "the image has no Python to install requirements.txt with"
  "$python" -m pip --version >/dev/null 2>&1 ||
    fail 1 "the image has no pip to install requirements.txt with: take one that has, or that has the packages already"
  echo "buzzflow: installing requirements.txt" >&2
  # In the background, because sh acts on a signal only when a child in the foreground has ended.
  PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1 \
    "$python" -m pip install --disable-pip-version-check --quiet -r "$here/requirements.txt" </dev/null &
  pip=$!
  trap 'kill "$pip" 2>/dev/null; exit 143' TERM
  trap 'kill "$pip" 2>/dev/null; exit 130' INT
  wait "$pip" || fail 1 "pip could not install requirements.txt (exit code $?)"
  trap - TERM INT
fi

# ---- variables

export PYTHONPATH="$here/src:$here/shared${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONUNBUFFERED="${PYTHONUNBUFFERED-1}" # a log shows a line when it is printed
export BUZZFLOW_CODE_DIR="$here/src"
cd "$here/src" || fail 1 "cannot enter $here/src" # as on a laptop: a script opens the files beside it by their names

# -I: nothing of the step, such as its own json.py, comes between entry.py and the standard library
if [ -n "$python" ]; then exec "$python" -I "$here/entry.py" "$interpreter" "$here/$script" "$@"; fi

[ -z "${BUZZFLOW_SECRETS:-}" ] || fail 1 "the image has no Python to read the step's secrets with"
[ -z "${BUZZFLOW_EXTRACT:-}" ] || fail 1 "the image has no Python to unpack the step's archives with"
export SM_LOG_LEVEL="${SM_LOG_LEVEL:-20}"
if [ -s "${BUZZFLOW_OPT_ML:-/opt/ml}/input/config/hyperparameters.json" ]; then
  echo "buzzflow: the image has no Python to read hyperparameters.json with, so $script gets none as arguments" >&2
fi
exec "$interpreter" "$here/$script" "$@" 2>&1 # one stream, as in entry.py
