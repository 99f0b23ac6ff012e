#!/usr/bin/env bash
# Keeps everything but the spool from writing to the card, so that pulling the plug can harm nothing else; or undoes that.
#
#   sudo dripwatch-read-only-root on|off|status
#
# on   1. Debian's package overlayroot lays memory over the whole system: what is written is lost at the next start
#      2. /var/lib/dripwatch-bridge becomes a partition of its own, named by the label DRIPWATCH-SPOOL, and stays on the card
# off  takes back 1; 2 may stay. While it is on, change the card below by: sudo overlayroot-chroot
#
# It writes /etc/overlayroot.local.conf and one line of /etc/fstab, and nothing else.
set -euo pipefail

root="${DRIPWATCH_ROOT:-}" # for tests: where /etc is
settings="$root/etc/overlayroot.local.conf"
fstab="$root/etc/fstab"
overlay='overlayroot="tmpfs:recurse=0"'
spool="LABEL=DRIPWATCH-SPOOL /var/lib/dripwatch-bridge ext4 defaults,noatime,data=journal 0 2"

fail() {
  printf 'read-only-root: %s\n' "$1" >&2
  exit 2
}

is_on() { [ -f "$settings" ] && grep -qxF "$overlay" "$settings"; }

need_parts() {
  [ -z "$root" ] || return 0
  blkid -L DRIPWATCH-SPOOL >/dev/null 2>&1 ||
    fail "no partition has the label DRIPWATCH-SPOOL: make one (mkfs.ext4 -L DRIPWATCH-SPOOL /dev/mmcblk0p3), then again"
  command -v overlayroot-chroot >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -q -y overlayroot
}

turn_on() {
  if is_on; then fail "is on already"; fi
  need_parts
  printf '# Written by dripwatch-read-only-root.\n%s\n' "$overlay" >"$settings"
  if ! grep -qxF "$spool" "$fstab"; then printf '%s\n' "$spool" >>"$fstab"; fi
  echo "On from the next start."
}

turn_off() {
  if ! is_on; then fail "is not on"; fi
  rm "$settings"
  echo "Off from the next start. If it is in force now, this was written to memory: run it within overlayroot-chroot."
}

case "${1:-}" in
  on) turn_on ;;
  off) turn_off ;;
  status) if is_on; then echo on; else echo off; fi ;;
  *) fail "on, off or status?" ;;
esac
