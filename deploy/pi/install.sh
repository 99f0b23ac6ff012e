#!/usr/bin/env bash
# Installs the bridge on a Raspberry Pi (Raspberry Pi OS or Debian 12 and newer), or brings it up to this checkout.
#
#   sudo deploy/pi/install.sh --bundle bridge-017.tar.gz     with the bundle that `dripwatch device add` made
#   sudo deploy/pi/install.sh                                without: then write /etc/dripwatch/bridge.yaml yourself
#   … --read-only-root    afterwards only the spool is written to the card (field-guide.md); needs a restart
#   … --no-start          install only
#   … --root DIR          lay everything out under DIR and touch nothing else (for images and for tests)
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
source="$(cd "$here/../.." && pwd)"
root=""
bundle=""
start=yes
read_only=no

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case "$1" in
    --bundle)
      [ $# -ge 2 ] || fail "--bundle needs a file"
      bundle="$2"
      shift 2
      ;;
    --root)
      [ $# -ge 2 ] || fail "--root needs a folder"
      root="$(mkdir -p "$2" && cd "$2" && pwd)"
      shift 2
      ;;
    --read-only-root) read_only=yes; shift ;;
    --no-start) start=no; shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument $1; --help shows the known ones" ;;
  esac
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "run it as root, or give --root DIR"
[ -z "$bundle" ] || [ -f "$bundle" ] || fail "$bundle: there is no such file"

# The program itself is the gateway's; only the pins' library comes on top.
install_program() {
  "$source/deploy/install.sh" --root "${root:-/}" --program-only
  if [ -z "$root" ]; then
    /opt/dripwatch/current/bin/python -m pip install --quiet --disable-pip-version-check "${source}[pi]" ||
      printf 'install.sh: the pins'"'"' library did not install; lines and connections work without it\n' >&2
  fi
}

install_files() {
  install -D -m 0644 "$here/dripwatch-bridge.service" "$root/etc/systemd/system/dripwatch-bridge.service"
  install -D -m 0644 "$here/watchdog.conf" "$root/etc/systemd/system.conf.d/dripwatch-watchdog.conf"
  install -D -m 0644 "$here/journald.conf" "$root/etc/systemd/journald.conf.d/dripwatch.conf"
  install -D -m 0644 "$source/deploy/systemd/dripwatch.sysusers.conf" "$root/etc/sysusers.d/dripwatch.conf"
  install -D -m 0644 "$source/deploy/systemd/dripwatch.tmpfiles.conf" "$root/etc/tmpfiles.d/dripwatch.conf"
}

# What is there already is the technician's, and stays.
install_bundle() {
  local names
  [ -n "$bundle" ] || return 0
  names="$(tar -tzf "$bundle")" || fail "$bundle: is no bundle of dripwatch device add"
  if printf '%s\n' "$names" | grep -Eq '(^/|(^|/)\.\.(/|$))'; then fail "$bundle: names files outside its own folder; nothing was unpacked"; fi
  printf '%s\n' "$names" | grep -Eq '^(\./)?bridge\.yaml$' || fail "$bundle: has no bridge.yaml; is it a bridge's?"
  [ ! -e "$root/etc/dripwatch/bridge.yaml" ] || fail "$root/etc/dripwatch/bridge.yaml is there already; move it away first"
  mkdir -p "$root/etc/dripwatch"
  tar -xzf "$bundle" -C "$root/etc/dripwatch" --no-same-owner --no-same-permissions
}

make_root_read_only() {
  [ "$read_only" = yes ] || return 0
  install -D -m 0755 "$here/read-only-root.sh" "$root/usr/local/sbin/dripwatch-read-only-root"
  if [ -z "$root" ]; then /usr/local/sbin/dripwatch-read-only-root on; fi
}

begin() {
  systemd-sysusers
  systemd-tmpfiles --create /etc/tmpfiles.d/dripwatch.conf
  systemctl daemon-reload
  systemctl enable --quiet dripwatch-bridge.service
  if [ "$start" = no ] || [ ! -e /etc/dripwatch/bridge.yaml ]; then
    echo "Installed. Write /etc/dripwatch/bridge.yaml, then: systemctl start dripwatch-bridge"
    return
  fi
  systemctl stop dripwatch-bridge.service
  dripwatch bridge --config /etc/dripwatch/bridge.yaml --check || echo "Mend what says NO before you leave the home." >&2
  systemctl start dripwatch-bridge.service
}

install_program
install_files
install_bundle
make_root_read_only
if [ -z "$root" ]; then begin; else echo "Laid out under $root."; fi
