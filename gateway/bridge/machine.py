"""The bridge's own machine, where it tells: temperature, supply voltage, room on the disk. What is not there is absent."""

import os
from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys/class")
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Temperature of the processor in °C; whether the supply is too weak now or was since the start; free MiB of a disk."""

    temperature_c: float | None
    under_voltage: bool | None
    disk_free_mib: int | None


def look_at_machine(folder: Path, sys: Path = SYS) -> Machine:
    """What Linux tells of it; `folder` is on the disk that is asked for."""
    thousandths = _number(sys / "thermal/thermal_zone0/temp")
    alarms = [_number(path.with_name("in0_lcrit_alarm")) for path in sys.glob("hwmon/hwmon*/name") if _text(path) == "rpi_volt"]
    return Machine(
        temperature_c=None if thousandths is None else round(thousandths / 1000, 1),
        under_voltage=None if not alarms or alarms[0] is None else bool(alarms[0]),
        disk_free_mib=_free(folder),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdigit() else None


def _free(folder: Path) -> int | None:
    try:
        room = os.statvfs(folder)
    except OSError:
        return None
    return room.f_bavail * room.f_frsize // _MIB
