#!/usr/bin/env bash
# Makes a Docker engine and the test images available: for the tests marked `docker`.
#
#   tests/engine/start.sh [--monitoring] [--ml] [--rebuild] [--no-stand-in]
#
# An engine that answers is used as it is. Otherwise docker.io is installed (Debian, as root) and started.
# The images are built from Debian packages, so that no image registry is needed; on other systems they are pulled.
# What is there already is left alone.
#
#   buzzflow-test/python:3.11          Python, pip, bash, coreutils; also tagged python:3.11-slim (see below)
#   --monitoring                       also buzzflow-test/cadvisor:latest and buzzflow-test/prometheus:latest
#   --ml                               also buzzflow-test/python-ml:3.11, with scikit-learn and pandas
#   --rebuild                          build the images again
#   --no-stand-in                      leave python:3.11-slim alone. Without this, when that image is neither here
#                                      nor in a registry, the name is given to buzzflow-test/python:3.11
#
# Environment:
#   BUZZFLOW_TEST_PREFIX   the part of the images' names before the slash (buzzflow-test)
#   BUZZFLOW_ENGINE_DIR    logs, lock, pid file (root: /var/lib/buzzflow-engine, others: ~/.cache/buzzflow-engine)
#   DOCKER_HOST            where the daemon is, or is to listen (unix:///var/run/docker.sock)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$here/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=images.sh
. "$here/images.sh"

monitoring='' ml='' rebuild='' stand_in=yes
for argument in "$@"; do
  case $argument in
    --monitoring) monitoring=yes ;;
    --ml) ml=yes ;;
    --rebuild) rebuild=yes ;;
    --no-stand-in) stand_in='' ;;
    -h | --help) usage "$0"; exit ;;
    *) printf 'error: unknown option %s; see --help\n' "$argument" >&2; exit 2 ;;
  esac
done

mkdir -p "$STATE"
exec 9>"$STATE/lock"
if ! flock -n 9; then say "another start.sh is at work: waiting"; flock 9; fi
rm -rf "$WORK"
mkdir -p "$WORK"
: >"$LOG"
unpacking=()
trap '[ ${#unpacking[@]} = 0 ] || kill "${unpacking[@]}" 2>/dev/null || true; rm -rf "$WORK"' EXIT
trap 'die "line $LINENO failed"' ERR

# An engine that is installed is started first: then its images are known.
answers=''
if engine_answers; then
  answers=yes
  say "a Docker engine answers: used as it is"
elif command -v dockerd >/dev/null && command -v docker >/dev/null; then
  start_engine
  answers=yes
fi

missing() { [ -n "$rebuild" ] || [ -z "$answers" ] || ! has_image "$PREFIX/$1"; }

# unpack_in_background NAME: two cores, and installing the engine takes as long
unpack_in_background() {
  { "unpack_$1" && touch "$WORK/$1.done"; } 9>&- &
  unpacking+=("$!")
}

# finish_image NAME PUBLIC_IMAGE TAG [IMPORT ARGUMENT...]
finish_image() {
  local name=$1 public=$2 image=$PREFIX/$3
  if [ -e "$WORK/$name.done" ]; then
    "import_$name" "${@:4}" || die "docker import of $image failed"
    say "built $image"
  else
    docker pull -q "$public" >>"$LOG" 2>&1 || die "could neither build $image from Debian packages nor pull $public"
    docker tag "$public" "$image"
    say "pulled $public as $image"
  fi
}

debian=''
if command -v apt-get >/dev/null; then debian=yes; fi
python=3.11 images=()
if missing "python:$python"; then images+=(python); fi
if [ -n "$monitoring" ] && missing cadvisor:latest; then images+=(cadvisor); fi
if [ -n "$monitoring" ] && missing prometheus:latest; then images+=(prometheus); fi

# ---- an engine to install, while packages are unpacked

if [ -n "$debian" ] && [ "${#images[@]}$answers" != 0yes ]; then refresh_apt_lists; fi

# Where this Debian has another Python, the real image is better, if a registry has it.
if [[ " ${images[*]} " == *' python '* ]] && [ -n "$debian" ] && [ "$(debian_python)" != "$python" ]; then
  if [ -n "$answers" ] && ! missing "python:$(debian_python)"; then python=$(debian_python) images=("${images[@]:1}")
  elif [ -n "$answers" ] && docker pull -q "python:$python-slim" >>"$LOG" 2>&1; then
    docker tag "python:$python-slim" "$PREFIX/python:$python"
    say "pulled python:$python-slim as $PREFIX/python:$python"
    images=("${images[@]:1}")
  else python=$(debian_python); fi
fi

if [ -n "$debian" ]; then for image in "${images[@]}"; do unpack_in_background "$image"; done; fi
if [ -z "$answers" ]; then
  install_engine
  engine_answers || start_engine
fi
for pid in "${unpacking[@]}"; do wait "$pid" || true; done # finish_image looks at what they made

# ---- the images

for image in "${images[@]}"; do
  case $image in
    python) finish_image python "python:$python-slim" "python:$python" "$python" ;;
    cadvisor) finish_image cadvisor gcr.io/cadvisor/cadvisor:latest cadvisor:latest ;;
    prometheus) finish_image prometheus prom/prometheus:latest prometheus:latest ;;
  esac
done
if [ -n "$ml" ] && missing "python-ml:$python"; then
  make_ml "$python" || die "could not install scikit-learn and pandas in a container"
  say "built $PREFIX/python-ml:$python"
fi

# A name that an earlier build of ours has is ours to move.
name_is_free() { ! has_image "$1" || [[ $(docker image inspect --format '{{.Config.Labels}}' "$1") == *tests/engine/start.sh* ]]; }
public=python:$python-slim
if [ -n "$stand_in" ] && name_is_free "$public" && [ "$(image_id "$public")" != "$(image_id "$PREFIX/python:$python")" ]; then
  if ! has_image "$public" && docker pull -q "$public" >>"$LOG" 2>&1; then say "pulled $public"
  else
    docker tag "$PREFIX/python:$python" "$public"
    say "$public is in no registry that answers: the name now stands for $PREFIX/python:$python (undo: docker rmi $public)"
  fi
fi

if [ "$python" != 3.11 ]; then
  say "this Debian has Python $python, so there is no $PREFIX/python:3.11. For the tests: export BUZZFLOW_TEST_IMAGE=$PREFIX/python:$python"
fi
context=$(docker context show 2>/dev/null || true)
if [ -z "${DOCKER_HOST:-}" ] && [ "${context:-default}" != default ]; then
  say "the engine is that of the Docker context '$context'. For the tests: export DOCKER_HOST=$(docker context inspect --format '{{.Endpoints.docker.Host}}')"
fi
say "ready"
