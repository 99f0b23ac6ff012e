"""Durations as people write them: `90s`, `5m`, `1h30m`, `2d`, `1w`."""

import re

_UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_WHOLE = re.compile(r"(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?")
_PART = re.compile(r"(\d+)([wdhms])")


def parse_ms(text: str) -> int:
    """Milliseconds of a duration such as `1h30m`; ValueError with the mend for anything else."""
    if not text or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 5m, 1h30m or 2d")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text))


def say_ms(duration_ms: int) -> str:
    """The same the other way: `1 h 30 min`, `2 min`, `45 s`; the two largest units, rounded down."""
    seconds = duration_ms // 1_000
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if hours == 0:
        return f"{minutes} min" + (f" {seconds % 60} s" if minutes < 10 and seconds % 60 else "")
    if days < 2:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{days} d" + (f" {hours % 24} h" if hours % 24 else "")
