#!/usr/bin/env bash
# Ends the Docker daemon that tests/engine/start.sh started, and no other.
#
#   tests/engine/stop.sh [--purge]
#
#   --purge   first removes the test images (buzzflow-test/*) and the names that stand for them
#
# Environment: as for start.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

purge=''
for argument in "$@"; do
  case $argument in
    --purge) purge=yes ;;
    -h | --help) usage "$0"; exit ;;
    *) printf 'error: unknown option %s; see --help\n' "$argument" >&2; exit 2 ;;
  esac
done

if [ -n "$purge" ] && engine_answers; then
  mapfile -t ids < <(docker images -q "$PREFIX/*" | sort -u)
  for id in "${ids[@]}"; do
    mapfile -t names < <(docker image inspect --format '{{range .RepoTags}}{{println .}}{{end}}' "$id" | grep .)
    docker rmi "${names[@]}" >/dev/null || say "left: ${names[*]}"
  done
  say "removed ${#ids[@]} images"
fi

pid=$(cat "$STATE/dockerd.pid" 2>/dev/null || true)
if [ -z "$pid" ] || [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dockerd ]; then
  rm -f "$STATE/dockerd.pid"
  say "no daemon of start.sh runs"
  exit
fi
kill -TERM "$pid" # it ends its containers first
for _ in {1..150}; do
  kill -0 "$pid" 2>/dev/null || { rm -f "$STATE/dockerd.pid"; say "dockerd $pid ended"; exit; }
  sleep 0.2
done
die "dockerd $pid does not end" "$STATE/dockerd.log"
