"""A B. Braun Space pump in slot 11 of a rack, to be played with: alarms, stops, rates, mains."""

from gateway.domain.instants import Instant
from gateway.scenario.serial_pumps.bcc import Rack, SpacePump
from gateway.scenario.serial_pumps.virtual import Order, number_of, words_of

SLOT = "11"
RATE_ML_H_MAX = 1_800.0
ALARMS = {  # the INA bit that a condition stands for
    "air-in-line": 15,
    "battery-depleted": 1,
    "battery-low": 11,
    "cassette-detached": 9,
    "door-open": 13,
    "infusion-complete": 7,
    "near-end": 12,
    "occlusion": 3,
    "other": 14,
    "reservoir-empty": 2,
    "stopped-unattended": 5,
}
ORDERS = f"alarm WORD, clear [WORD], stop, start, rate ML_H, mains, battery, lock, unlock; WORD is one of {', '.join(ALARMS)}"


class BccPump:
    """The pump and the ComDevice that speaks for it; it never speaks unasked."""

    next_at: Instant | None = None

    def __init__(self, started_at: Instant) -> None:
        self.pump = SpacePump(rate_ml_h=0.6, infused_ml=12.0, left_ml=100.8)
        self._rack = Rack({SLOT: self.pump}, started_at=started_at)

    def hear(self, data: bytes, at: Instant) -> bytes:
        """See `VirtualPump`."""
        return self._rack.receive(data, at)

    def speak(self, at: Instant) -> bytes:
        """Nothing."""
        del at
        return b""

    def understand(self, text: str) -> Order:
        """See `VirtualPump`."""
        verb, rest = words_of(text, ORDERS)
        if verb in ("alarm", "clear") and (rest in ALARMS or (verb == "clear" and not rest)):
            return self._alarm(verb == "alarm", rest)
        if verb == "rate":
            return self._set("rate_ml_h", number_of(rest, most=RATE_ML_H_MAX, what="a rate in mL/h"), text)
        changes = {
            "start": ("pumping", True),
            "stop": ("pumping", False),
            "mains": ("on_mains", True),
            "battery": ("on_mains", False),
            "lock": ("locked", True),
            "unlock": ("locked", False),
        }
        if verb in changes and not rest:
            return self._set(*changes[verb], text)
        raise ValueError(ORDERS)

    def _alarm(self, raised: bool, word: str) -> Order:
        def order(at: Instant) -> str:
            self.pump.live(at)
            numbers = {ALARMS[word]} if word else set(self.pump.alarms)
            self.pump.alarms = self.pump.alarms | numbers if raised else self.pump.alarms - numbers
            return f"{'raised' if raised else 'cleared'} {word or 'all alarms'}"

        return order

    def _set(self, name: str, value: float | bool, text: str) -> Order:
        def order(at: Instant) -> str:
            self.pump.live(at)
            setattr(self.pump, name, value)
            return text.strip()

        return order
