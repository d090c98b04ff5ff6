#!/usr/bin/env bash
# compose.sh FOLDER: puts Docker Compose 2 into FOLDER/cli-plugins, from the next Debian release, whose archive this
# machine's apt already names. The SageMaker SDK's local mode runs every step through `docker compose`.
set -euo pipefail
place=$1
[ ! -x "$place/cli-plugins/docker-compose" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # the names are apt's
archive=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk -v codename="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$1 == codename { print $2; exit }')
[ -n "$archive" ] || { echo 'no Debian archive in apt'"'"'s sources: install Docker Compose 2' >&2; exit 1; }
mkdir -p "$work/lists/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive trixie main" >"$work/sources.list"
options=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Acquire::Languages=none -o "APT::Sandbox::User=$(id -un)")
apt-get -qq "${options[@]}" update
(cd "$work" && apt-get -qq "${options[@]}" download docker-compose)
dpkg-deb -x "$work"/docker-compose_*.deb "$work/root"
mkdir -p "$place/cli-plugins"
cp "$(find "$work/root" -type f -name docker-compose -perm -u+x -print -quit)" "$place/cli-plugins/docker-compose"
