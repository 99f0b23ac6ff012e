"""Lengths of time and sizes as people write them: `90s`, `5m`, `1h30m`, `2d`, `1w`; `20GiB`."""

import re

from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

DURATION_MAX_MS = 3650 * DAY_MS

_UNITS_MS = {"w": 7 * DAY_MS, "d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS}
_DURATION = re.compile("".join(f"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS_MS))
_SIZES: dict[str, int] = {"B": 1} | {f"{letter}iB": 1024**i for i, letter in enumerate("KMGT", 1)}
_SIZES |= {f"{letter}B": 1000**i for i, letter in enumerate("KMGT", 1)}
_SIZE = re.compile(r"([0-9]{1,15}) ?([KMGT]i?B|B)")


def parse_duration(text: object) -> int:
    """`1h30m` → 5400000 (ms). Units w, d, h, m, s, the larger before the smaller, whole numbers; at most ten years.

    Raises ValueError with the mend.
    """
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not found or not text:
        raise ValueError(f"not a length of time: {text!r}; write it like 90s, 5m, 1h30m, 2d or 1w")
    length_ms = sum(int(count) * unit_ms for count, unit_ms in zip(found.groups(), _UNITS_MS.values(), strict=True) if count)
    if length_ms > DURATION_MAX_MS:
        raise ValueError(f"{text} is longer than ten years")
    return length_ms


def parse_size(text: object) -> int:
    """`20GiB` → 21474836480 (bytes). KiB, MiB, GiB, TiB count in 1024, KB, MB, GB, TB in 1000; a bare number is bytes.

    Raises ValueError with the mend.
    """
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"not a size: {text!r}; write it like 500MiB or 20GiB")
    return int(found[1]) * _SIZES[found[2]]
