"""What the bridge tells of itself: its retained `status`, once a minute and when something about it has changed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.bridge.frames import Seen
from gateway.bridge.machine import Machine
from gateway.bridge.stamps import HOLDOVER_MS
from gateway.domain.instants import SECOND_MS
from gateway.domain.words import ClockQuality

LAST_WILL = b'{"online":false}'
DISK_LOW_MIB = 100
HOT_C = 80.0  # a Raspberry Pi slows down from here


def machine_findings(machine: Machine) -> list[str]:
    """What is wrong with the machine, in words for whoever looks after it."""
    found = []
    if machine.under_voltage:
        found.append("under-voltage: the supply is too weak; use the maker's own")
    if machine.temperature_c is not None and machine.temperature_c >= HOT_C:
        found.append(f"hot: {machine.temperature_c:g} °C; give it air")
    if machine.disk_free_mib is not None and machine.disk_free_mib < DISK_LOW_MIB:
        found.append(f"disk-low: {machine.disk_free_mib} MiB are left")
    return found


def clock_findings(clock: ClockQuality, holdover_ms: int | None) -> list[str]:
    """What is wrong with the clock."""
    if clock is ClockQuality.SYNCED:
        return []
    if holdover_ms is None:
        return ["clock-free: the clock has followed no reference since the machine started; is NTP allowed out?"]
    return [f"clock-free: no reference for more than {HOLDOVER_MS // (24 * 3600 * SECOND_MS)} days"]


def status_body(seen: Seen, facts: Mapping[str, Any], machine: Machine, findings: Sequence[str]) -> bytes:
    """The message. Absent facts are left out; `observed_at` makes each one another, so that it counts as a sign of life."""
    measured = {
        "temperature_c": machine.temperature_c,
        "under_voltage": machine.under_voltage,
        "disk_free_mib": machine.disk_free_mib,
    }
    known = {key: value for key, value in (dict(facts) | measured).items() if value is not None}
    body = {"observed_at": seen.observed_at, "clock": seen.clock.value, "online": True}
    return json.dumps(body | {"bridge": known | {"findings": list(findings)}}, separators=(",", ":")).encode()
