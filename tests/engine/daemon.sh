# shellcheck shell=bash
# A Docker daemon on Debian: installs docker.io and starts dockerd.

# Refreshes apt's lists if they are missing or old: old ones name files that the archive no longer has (404).
refresh_apt_lists() {
  local lists=/var/lib/apt/lists changed
  changed=$(stat -c %Y $lists $lists/partial 2>/dev/null | sort -n | tail -n 1) || true
  if [ $(($(date +%s) - ${changed:-0})) -lt 43200 ] && apt-cache show docker.io >/dev/null 2>&1; then return; fi
  say "apt-get update"
  # A third-party source that fails is no reason to stop: a missing package will say so itself.
  as_root apt-get -qq update >>"$LOG" 2>&1 || as_root apt-get -qq update >>"$LOG" 2>&1 || say "apt-get update had errors (see $LOG); going on"
}

install_engine() {
  command -v apt-get >/dev/null || die "no Docker engine answers, and this is no Debian: please install and start Docker"
  say "installing docker.io"
  local packages=(docker.io iptables)
  # Debian 13 split the client from the daemon.
  if ! command -v docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -qq -y -o DPkg::Lock::Timeout=120 \
    -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends "${packages[@]}" >>"$LOG" 2>&1 </dev/null || die "apt-get install docker.io failed"
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker >>"$LOG" 2>&1 || die "systemctl start docker failed"
    wait_for_engine || die "docker.service runs, but user $(id -un) gets no answer: is it in the group 'docker'?"
  else
    start_dockerd
  fi
}

start_dockerd() {
  [ "$(id -u)" = 0 ] || die "no Docker engine answers, and starting dockerd needs root: run this script as root"
  local socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
  [[ $socket == unix://* ]] || die "no Docker engine answers on $socket"
  forget_dead_daemons
  # setsid and nohup: it must outlive this script and its terminal. 9 is the lock.
  setsid nohup dockerd -H "$socket" >"$STATE/dockerd.log" 2>&1 9>&- </dev/null &
  echo $! >"$STATE/dockerd.pid"
  wait_for_engine "$!" || die "dockerd does not answer on $socket" "$STATE/dockerd.log"
  say "dockerd answers (pid $!); tests/engine/stop.sh ends it"
}

# wait_for_engine [PID]: no longer than PID lives
wait_for_engine() {
  local _
  for _ in {1..150}; do
    engine_answers && return
    if [ -n "${1:-}" ] && ! kill -0 "$1" 2>/dev/null; then return 1; fi
    sleep 0.2
  done
  return 1
}

# The pid file of a killed daemon may name a zombie or another program: dockerd would wait for that, then give up.
forget_dead_daemons() {
  local file pid
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    grep -qsE '^[0-9]+ \((dockerd|containerd)\) [^ZX]' "/proc/$pid/stat" || rm -f "$file" "${file%.pid}.sock"
  done
}
