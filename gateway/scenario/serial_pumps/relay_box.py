"""A pump without a data port, with a box beside it that sends what contact, light, socket and scale show: a line of JSON.

    {"relay": "idle", "light": "green", "mains": true, "weight_g": 108.4}

At each change, and once in `every_ms`. Written against docs/adapters-wire.md: it shares no code with the adapter.
"""

import json
from dataclasses import dataclass, field

from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.scenario.serial_pumps.virtual import Order, number_of, words_of

LIGHTS = ("green", "amber", "red", "blue", "dark")
ML_G = 1.0  # near enough for infusions
RATE_ML_H_MAX, WEIGHT_G_MAX = 1_800.0, 20_000.0
ORDERS = (
    f"alarm, brief, clear, light COLOUR, stop, start, rate ML_H, weight G, mains, battery; COLOUR is one of {', '.join(LIGHTS)}"
)


@dataclass(slots=True)
class Shown:
    """What can be seen of the pump. The bag grows lighter while the light is green."""

    relay: str = "idle"
    light: str = "green"
    mains: bool = True
    weight_g: float = 108.4
    seen: list[str] = field(default_factory=list)


class RelayBox:
    """The box, which is never asked."""

    def __init__(self, started_at: Instant, *, every_ms: int = MINUTE_MS, rate_ml_h: float = 0.6) -> None:
        self.shown = Shown()
        self.next_at: Instant | None = started_at
        self._rate_ml_h, self._every_ms, self._as_of = rate_ml_h, every_ms, started_at

    def hear(self, data: bytes, at: Instant) -> bytes:
        """Nothing: it does not listen."""
        del data, at
        return b""

    def speak(self, at: Instant) -> bytes:
        """See `VirtualPump`."""
        if self.next_at is None or at < self.next_at:
            return b""
        self._live(at)
        self.next_at = at + self._every_ms
        shown = self.shown
        frame: dict[str, object] = {"relay": shown.relay, "light": shown.light}
        frame |= {"light_seen": list(shown.seen)} if shown.seen else {}
        frame |= {"mains": shown.mains, "weight_g": round(shown.weight_g, 1)}
        if shown.relay == "called":  # told once
            shown.relay = "idle"
        shown.seen.clear()
        return json.dumps(frame).encode() + b"\n"

    def understand(self, text: str) -> Order:
        """See `VirtualPump`."""
        verb, rest = words_of(text, ORDERS)
        if verb == "rate":
            return self._rate(number_of(rest, most=RATE_ML_H_MAX, what="a rate in mL/h"))
        if verb == "weight":
            return self._change(text, weight_g=number_of(rest, most=WEIGHT_G_MAX, what="a weight in g"))
        if verb == "light" and rest in LIGHTS:
            return self._change(text, light=rest)
        changes: dict[str, dict[str, object]] = {
            "alarm": {"relay": "calling", "light": "red"},
            "brief": {"relay": "called"},
            "clear": {"relay": "idle", "light": "green"},
            "stop": {"light": "red"},
            "start": {"light": "green"},
            "mains": {"mains": True},
            "battery": {"mains": False},
        }
        if verb in changes and not rest:
            return self._change(text, **changes[verb])
        raise ValueError(ORDERS)

    def _change(self, text: str, **values: object) -> Order:
        def order(at: Instant) -> str:
            self._live(at)
            if values.get("light") not in (None, self.shown.light):
                self.shown.seen = [self.shown.light] if self.shown.light == "blue" else []
            for name, value in values.items():
                setattr(self.shown, name, value)
            self.next_at = at
            return text.strip()

        return order

    def _rate(self, rate_ml_h: float) -> Order:
        def order(at: Instant) -> str:
            self._live(at)
            self._rate_ml_h = rate_ml_h
            return f"rate {rate_ml_h:g} mL/h"

        return order

    def _live(self, at: Instant) -> None:
        if self.shown.light == "green":
            given_g = self._rate_ml_h * ML_G * (at - self._as_of) / HOUR_MS
            self.shown.weight_g = max(0.0, self.shown.weight_g - given_g)
        self._as_of = at
