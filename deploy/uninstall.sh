#!/usr/bin/env bash
# Removes the program and its units. The ward file, the journal and the backups stay: they are the patients' record.
#
#   sudo deploy/uninstall.sh
#   deploy/uninstall.sh --root DIR         what install.sh laid out under DIR
set -euo pipefail

root=""
if [ "${1:-}" = --root ] && [ $# -eq 2 ]; then
  root="$(cd "$2" && pwd)"
elif [ $# -ne 0 ]; then
  printf 'uninstall.sh: unknown argument %s; only --root DIR is known\n' "$1" >&2
  exit 2
fi
if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  printf 'uninstall.sh: run it as root, or give --root DIR\n' >&2
  exit 2
fi

units="dripwatch-bridge.service dripwatch.service dripwatch-watchdog.service dripwatch-backup.service dripwatch-backup.timer"
for unit in $units; do
  if [ -z "$root" ] && systemctl list-unit-files "$unit" >/dev/null 2>&1; then systemctl disable --now --quiet "$unit" || true; fi
  rm -f "$root/etc/systemd/system/$unit"
done
rm -f "$root/etc/sysusers.d/dripwatch.conf" "$root/etc/tmpfiles.d/dripwatch.conf" "$root/usr/local/bin/dripwatch"
rm -f "$root/etc/systemd/system.conf.d/dripwatch-watchdog.conf" "$root/etc/systemd/journald.conf.d/dripwatch.conf"
rm -f "$root/usr/local/sbin/dripwatch-read-only-root"
rm -rf "$root/opt/dripwatch"
if [ -z "$root" ]; then systemctl daemon-reload; fi

echo "Removed. What stays:"
for kept in /etc/dripwatch /var/lib/dripwatch /var/lib/dripwatch-backups /var/lib/dripwatch-bridge; do
  if [ -e "$root$kept" ]; then echo "  $root$kept"; fi
done
