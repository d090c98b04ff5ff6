# shellcheck shell=bash
# What start.sh and stop.sh share: settings, messages, and whether an engine answers.
# shellcheck disable=SC2034 # the settings are for the scripts that read this one

umask 022 # files in images are for every user
PREFIX=${BUZZFLOW_TEST_PREFIX:-buzzflow-test}
if [ -n "${BUZZFLOW_ENGINE_DIR:-}" ]; then STATE=$BUZZFLOW_ENGINE_DIR
elif [ "$(id -u)" = 0 ]; then STATE=/var/lib/buzzflow-engine
else STATE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/buzzflow-engine; fi
LOG=$STATE/start.log
WORK=$STATE/work

say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }

# die MESSAGE [FILE]: with the last lines of FILE
die() {
  printf 'error: %s\n' "$1" >&2
  [ ! -s "${2:-$LOG}" ] || { printf '  last lines of %s:\n' "${2:-$LOG}"; tail -n 15 "${2:-$LOG}" | sed 's/^/  | /'; } >&2
  exit 1
}

# usage SCRIPT: the comment at its head
usage() { awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$1"; }

# Asks the daemon that DOCKER_HOST or the Docker context names.
engine_answers() { timeout 5 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
has_image() { docker image inspect "$1" >/dev/null 2>&1; }
image_id() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
  else die "needs root for: $*"; fi
}
