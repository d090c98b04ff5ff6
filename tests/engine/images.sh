# shellcheck shell=bash
# Test images without an image registry: Debian packages are unpacked into a folder, and `docker import` takes the folder.
# None of it needs root or a daemon, apart from the import.

CA=/etc/ssl/certs/ca-certificates.crt

debian_python() { apt-cache policy python3 2>/dev/null | sed -nE 's/^  Candidate: ([0-9]+\.[0-9]+).*/\1/p'; }

# ---- Debian packages

# closure PACKAGE...: these and all that they need on an empty system
closure() {
  mkdir -p "$WORK/no-archives/partial" # apt leaves out what its own cache has
  : >"$WORK/no-status"
  apt-get -o Dir::State::status="$WORK/no-status" -o Dir::Cache::archives="$WORK/no-archives" -o Debug::NoLocking=1 \
    --no-install-recommends --print-uris -qq -y install "$@" 2>>"$LOG" | awk '{ sub(/_.*/, "", $2); print $2 }' | sort -u
}

# unpack ROOT PACKAGE... [-- APT OPTION...]
unpack() {
  local root=$1 packages=() deb
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do packages+=("$1"); shift; done
  [ $# = 0 ] || shift
  mkdir -p "$root.debs" "$root"/usr/{bin,sbin,lib,lib64}
  for deb in bin sbin lib lib64; do [ -e "$root/$deb" ] || ln -s "usr/$deb" "$root/$deb"; done
  (cd "$root.debs" && apt-get -qq -o APT::Sandbox::User="$(id -un)" "$@" download "${packages[@]}") >>"$LOG" 2>&1 || return
  for deb in "$root.debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$root" || return
  done
  rm -rf "$root.debs"
}

# finish ROOT: what maintainer scripts would have made; less what nobody reads in a container
finish() {
  local root=$1 applet
  mkdir -p "$root"/{etc/ssl/certs,root,proc,sys,dev,run,tmp,var/tmp,home,opt,usr/local/bin}
  chmod 1777 "$root/tmp" "$root/var/tmp"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/nonexistent:/bin/false >"$root/etc/passwd"
  printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
  printf '%s\n' 'hosts: files dns' 'passwd: files' 'group: files' >"$root/etc/nsswitch.conf"
  cp -L "$CA" "$root$CA" # this machine's, with the company's own
  for applet in $("$root/bin/busybox" --list); do
    [ -e "$root/bin/$applet" ] || [ -L "$root/bin/$applet" ] || [ -e "$root/sbin/$applet" ] || ln -s busybox "$root/bin/$applet"
  done
  rm -rf "$root"/usr/share/{doc,man,locale,info,lintian,bug} "$root"/etc/{init.d,default,systemd,logrotate.d,cron.*} "$root/lib/systemd"
  in_root "$root" /sbin/ldconfig || true # only faster: the loader knows Debian's paths
}

in_root() {
  local root=$1
  shift
  if [ "$(id -u)" = 0 ]; then chroot "$root" "$@" >>"$LOG" 2>&1
  else unshare --map-root-user chroot "$root" "$@" >>"$LOG" 2>&1; fi
}

# import ROOT IMAGE DESCRIPTION [DOCKERFILE LINE...]
import() {
  local root=$1 image=$2 changes=() line
  for line in "LABEL org.opencontainers.image.description=\"$3; made by buzzflow's tests/engine/start.sh\"" "${@:4}"; do changes+=(--change "$line"); done
  tar -C "$root" --numeric-owner --owner=0 --group=0 -c . | docker import "${changes[@]}" - "$image" >>"$LOG" 2>&1
}

# ---- buzzflow-test/python

unpack_python() {
  local root=$WORK/python packages wheel
  mapfile -t packages < <(closure python3 python3-pip-whl python3-setuptools-whl bash coreutils tar gzip busybox-static netbase libstdc++6 libc-bin |
    grep -vxE 'dpkg|debconf|openssl|mawk|ca-certificates|tar-doc|perl-base')
  unpack "$root" "${packages[@]}" || return
  # pip is imported from an unpacked wheel, as ensurepip would install it
  for wheel in "$root"/usr/share/python-wheels/{pip,setuptools}-*.whl; do
    (cd "$root/usr/lib/python3/dist-packages" && python3 -m zipfile -e "$wheel" .) || return
  done
  rm -rf "$root"/usr/share/python-wheels "$root"/usr/lib/python3*/EXTERNALLY-MANAGED "$root"/usr/lib/*/perl-base
  ln -s python3 "$root/usr/bin/python"
  ln -sf bash "$root/usr/bin/sh"
  printf '#!/bin/sh\nexec python3 -m pip "$@"\n' >"$root/usr/bin/pip"
  chmod 755 "$root/usr/bin/pip"
  ln -s pip "$root/usr/bin/pip3"
  printf '[global]\ncert = %s\ndisable-pip-version-check = true\nroot-user-action = ignore\nno-cache-dir = true\n' "$CA" >"$root/etc/pip.conf"
  finish "$root"
  # The byte code of what steps use: else each container compiles it again.
  in_root "$root" /usr/bin/env -i PATH=/usr/bin LANG=C.UTF-8 python3 -c '
import argparse, asyncio, concurrent.futures, csv, ctypes, datetime, decimal, email.message, hashlib, http.server, json, logging
import multiprocessing.pool, pathlib, pickle, random, runpy, shutil, sqlite3, ssl, statistics, subprocess, tarfile, tempfile
import unittest, urllib.request, uuid, xml.etree.ElementTree, zipfile, pip._internal.commands.install, pip._internal.resolution.resolvelib.resolver' || true
}

import_python() { # VERSION
  import "$WORK/python" "$PREFIX/python:$1" "Python $1 and pip of $(. /etc/os-release && echo "$PRETTY_NAME")" 'CMD ["python3"]' \
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'ENV LANG=C.UTF-8' 'ENV PYTHONUNBUFFERED=1' \
    "ENV SSL_CERT_FILE=$CA" "ENV REQUESTS_CA_BUNDLE=$CA" "ENV PIP_CERT=$CA"
}

# ---- buzzflow-test/python-ml

make_ml() { # VERSION
  local container status=0
  container=$(docker run -d --rm "$PREFIX/python:$1" sleep 900) || return
  install_ml "$container" && docker commit --change 'CMD ["python3"]' "$container" "$PREFIX/python-ml:$1" >>"$LOG" 2>&1 || status=$?
  docker kill "$container" >/dev/null
  return $status
}

install_ml() { # CONTAINER
  local name settings=()
  # exec's variables stay out of the image: the address of an index may hold a password
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL HTTPS_PROXY HTTP_PROXY NO_PROXY; do [ -z "${!name:-}" ] || settings+=(-e "$name"); done
  docker exec "${settings[@]}" "$1" pip install -q --only-binary=:all: scikit-learn pandas >>"$LOG" 2>&1 || return
  # byte code again
  docker exec "$1" python3 -c 'import pandas, sklearn.ensemble, sklearn.linear_model, sklearn.pipeline, sklearn.compose, sklearn.impute' >>"$LOG" 2>&1
}

# ---- buzzflow-test/cadvisor, buzzflow-test/prometheus: the arguments are those of gcr.io/cadvisor/cadvisor and prom/prometheus

unpack_cadvisor() {
  # Only Debian 11 has it: from the archive that this machine uses, with lists of our own.
  local apt=$WORK/debian-11 archive options
  mkdir -p "$apt/lists/partial"
  # shellcheck disable=SC2016 # the names are apt's
  archive=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk -v codename="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$1 == codename { print $2; exit }')
  [ -n "$archive" ] || { echo "no Debian archive in apt's sources" >>"$LOG"; return 1; }
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive bullseye main" >"$apt/sources.list"
  options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Acquire::Languages=none)
  apt-get -qq "${options[@]}" -o APT::Sandbox::User="$(id -un)" update >>"$LOG" 2>&1 || return
  unpack "$WORK/cadvisor" cadvisor -- "${options[@]}" || return
  unpack "$WORK/cadvisor" libc6 libc-bin libgcc-s1 libzstd1 busybox-static || return
  finish "$WORK/cadvisor"
}

import_cadvisor() {
  import "$WORK/cadvisor" "$PREFIX/cadvisor:latest" "Debian 11's cAdvisor" 'ENTRYPOINT ["/usr/bin/cadvisor", "-logtostderr"]' 'EXPOSE 8080' \
    'HEALTHCHECK --interval=30s --timeout=3s CMD wget -q -T 2 -O /dev/null http://localhost:8080/healthz || exit 1'
}

unpack_prometheus() {
  local root=$WORK/prometheus
  unpack "$root" prometheus libc6 libc-bin busybox-static || return
  mkdir -p "$root/usr/share/prometheus/web" "$root/etc/prometheus" "$root/prometheus"
  chmod 777 "$root/prometheus"
  finish "$root"
}

import_prometheus() {
  import "$WORK/prometheus" "$PREFIX/prometheus:latest" "Debian's Prometheus" 'ENTRYPOINT ["/bin/prometheus"]' 'USER nobody' \
    'EXPOSE 9090' 'VOLUME /prometheus' 'WORKDIR /prometheus' \
    'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus", "--web.console.libraries=/usr/share/prometheus/console_libraries", "--web.console.templates=/usr/share/prometheus/consoles"]'
}
