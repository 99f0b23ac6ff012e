#!/usr/bin/env bash
# Installs the gateway on Debian or Ubuntu, or brings an installed one up to this checkout. May be run again at any time.
#
#   sudo deploy/install.sh                 install, enable, start
#   sudo deploy/install.sh --no-start      install only
#   deploy/install.sh --root DIR           lay everything out under DIR and touch nothing else (for packages and for tests)
#   deploy/install.sh --program-only       no units and no ward file: what a bridge needs
#
# What goes where: docs/systemd.md. Nothing under /etc/dripwatch and /var/lib/dripwatch is ever written over.
set -euo pipefail

root=""
start=yes
program_only=no
source="$(cd "$(dirname "$0")/.." && pwd)"

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case "$1" in
    --root)
      [ $# -ge 2 ] || fail "--root needs a folder"
      root="$(mkdir -p "$2" && cd "$2" && pwd)"
      root="${root%/}" # the real root is none
      shift 2
      ;;
    --no-start) start=no; shift ;;
    --program-only) program_only=yes; shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument $1; --help shows the known ones" ;;
  esac
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "run it as root, or give --root DIR"

unfinished=""
trap 'if [ -n "$unfinished" ]; then rm -rf "$unfinished"; fi' EXIT

find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer with venv is needed: apt-get install python3 python3-venv"
}

# Each version has a folder of its own; `current` names the one in use, so that a half installation is never started.
install_program() {
  local python version release
  python="$(find_python)"
  version="$(sed -n 's/^version = "\(.*\)"$/\1/p' "$source/pyproject.toml")"
  release="/opt/dripwatch/$version-$(date -u +%Y%m%dT%H%M%SZ)"
  mkdir -p "$root/opt/dripwatch"
  unfinished="$root$release"
  "$python" -m venv "$root$release"
  "$root$release/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$source/requirements-run.lock"
  "$root$release/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation "$source"
  "$root$release/bin/dripwatch" --help >/dev/null || fail "the new installation does not start; the old one is untouched"
  mkdir -p "$root$release/share/doc/dripwatch"
  find "$source/docs" "$source/deploy" -maxdepth 1 -name '*.md' -exec cp -t "$root$release/share/doc/dripwatch" {} +
  if [ -n "$root" ]; then grep -lI "^#!$root/" "$root$release"/bin/* | xargs sed -i "1s|^#!$root/|#!/|"; fi
  unfinished=""
  ln -sfn "$(basename "$release")" "$root/opt/dripwatch/current"
  mkdir -p "$root/usr/local/bin"
  ln -sfn /opt/dripwatch/current/bin/dripwatch "$root/usr/local/bin/dripwatch"
  forget_old_releases
}

# The one before this stays, in case somebody must go back; so does one that still runs, for it loads parts of itself when it
# first needs them: a gateway that was not restarted would fail at its next page.
forget_old_releases() {
  local old
  find "$root/opt/dripwatch" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2- |
    while IFS= read -r old; do
      if ! grep -qsF "$old/" /proc/[0-9]*/maps; then rm -rf "$old"; fi
    done
}

install_units() {
  local units="$source/deploy/systemd"
  install -D -m 0644 -t "$root/etc/systemd/system" "$units"/*.service "$units"/*.timer
  install -D -m 0644 "$units/dripwatch.sysusers.conf" "$root/etc/sysusers.d/dripwatch.conf"
  install -D -m 0644 "$units/dripwatch.tmpfiles.conf" "$root/etc/tmpfiles.d/dripwatch.conf"
}

install_ward_file() {
  mkdir -p "$root/etc/dripwatch/secrets"
  if [ ! -e "$root/etc/dripwatch/ward.yaml" ]; then
    install -m 0640 "$source/deploy/ward.example.yaml" "$root/etc/dripwatch/ward.yaml"
  fi
}

begin() {
  systemd-sysusers
  systemd-tmpfiles --create /etc/tmpfiles.d/dripwatch.conf
  systemctl daemon-reload
  systemctl enable --quiet dripwatch.service dripwatch-backup.timer
  if [ "$start" = no ]; then
    echo "Installed. Write /etc/dripwatch/ward.yaml, then: systemctl start dripwatch dripwatch-backup.timer"
  elif dripwatch check-config /etc/dripwatch/ward.yaml; then
    systemctl restart dripwatch.service
    systemctl start dripwatch-backup.timer
    echo "Dripwatch runs: systemctl status dripwatch; dripwatch doctor --ward /etc/dripwatch/ward.yaml"
  else
    echo "Installed, not started: mend /etc/dripwatch/ward.yaml, then: systemctl start dripwatch dripwatch-backup.timer" >&2
    exit 1
  fi
}

install_program
if [ "$program_only" = yes ]; then exit 0; fi
install_units
install_ward_file
if [ -z "$root" ]; then begin; else echo "Laid out under $root."; fi
