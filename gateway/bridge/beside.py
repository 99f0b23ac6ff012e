"""What is seen beside a pump that cannot speak: contact, lights, mains, weight. Pure: edges and the time in, frames out.

Nothing that showed is missed, however short: a change makes a frame at once, and a light that blinks counts as lit until it has
been dark for BLINK_MS. The frame is the one that `device_adapters.relay_and_scale` draws.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from device_adapters.relay_and_scale import UNKNOWN
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant

RANKED = ("red", "amber", "blue", "green")  # which light counts where several are lit
BLINK_MS = 4 * SECOND_MS  # lights blink every second or two
CALL_MS = 2 * SECOND_MS  # a contact that chatters is one call
REPORT_MS = MINUTE_MS

RELAY, MAINS = "relay", "mains"


@dataclass(slots=True)
class _Seen:
    """One input: on now, and when it was last on; None: never."""

    on: bool = False
    on_at: Instant | None = None

    def is_on(self, at: Instant, hold_ms: int) -> bool:
        return self.on or (self.on_at is not None and at - self.on_at < hold_ms)


class Beside:
    """The inputs of one pump by name: `relay`, `mains`, and the colours of its lights; those that are wired.

    `broken`: the pins cannot be read. `weight_g` is the newest weight; None: there is no scale, or it gives none.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._inputs = {name: _Seen() for name in names}
        self.weight_g: float | None = None
        self.broken = False
        self._told: dict[str, Any] | None = None
        self._told_at: Instant = 0

    def edge(self, name: str, at: Instant, *, on: bool) -> None:
        """An input has changed, or is as it is."""
        seen = self._inputs[name]
        if seen.on or on:
            seen.on_at = at
        seen.on = on

    def frame(self, at: Instant) -> bytes | None:
        """The frame to send now; None while nothing has changed and the last one is younger than a minute."""
        now = self._states(at)
        if now == self._told and at - self._told_at < REPORT_MS:
            return None
        self._told, self._told_at = now, at
        full = now if self.weight_g is None else now | {"weight_g": self.weight_g}
        return json.dumps(full, separators=(",", ":")).encode() if full else None

    def next_at(self) -> Instant:
        """When time alone may make a frame due."""
        held = [seen.on_at + _hold_ms(name) for name, seen in self._inputs.items() if not seen.on and seen.on_at is not None]
        return min([self._told_at + REPORT_MS, *(at for at in held if at > self._told_at)])

    def _states(self, at: Instant) -> dict[str, Any]:
        on = [name for name, seen in self._inputs.items() if seen.is_on(at, _hold_ms(name))]
        found: dict[str, Any] = {}
        if RELAY in self._inputs:
            found["relay"] = UNKNOWN if self.broken else "calling" if RELAY in on else "idle"
        if any(colour in self._inputs for colour in RANKED):
            lit = [colour for colour in RANKED if colour in on]
            found["light"] = UNKNOWN if self.broken else lit[0] if lit else "dark"
            if lit[1:] and not self.broken:
                found["light_seen"] = lit[1:]
        if MAINS in self._inputs and not self.broken:
            found["mains"] = self._inputs[MAINS].on
        return found


def _hold_ms(name: str) -> int:
    return CALL_MS if name == RELAY else BLINK_MS if name in RANKED else 0
