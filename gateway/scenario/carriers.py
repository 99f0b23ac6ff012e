"""Scripted transports: they accept at once and give receipts after a second, unless the story breaks them."""

from dataclasses import dataclass

from gateway.domain.words import Outcome

HANG_MS = 15_000
RECEIPT_MS = 1_000


@dataclass(slots=True)
class Fault:
    """How a transport fails: `reject`, `temporary`, `timeout`, `hang`; for one person, or for all."""

    fail: str
    person: str | None = None


class Carriers:
    """All transports of a story and their faults."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = {}
        self._mute: set[str] = set()

    def break_(self, transport: str, fail: str, person: str | None) -> None:
        """From now on sends by this transport fail so."""
        self._faults.setdefault(transport, []).append(Fault(fail, person))

    def heal(self, transport: str) -> None:
        """Everything about this transport is well again."""
        self._faults.pop(transport, None)
        self._mute.discard(transport)

    def drop_receipts(self, transport: str) -> None:
        """It accepts, and no receipt ever comes."""
        self._mute.add(transport)

    def send(self, transport: str, person: str) -> list[tuple[int, Outcome]]:
        """What will be heard about a send that begins now: (after ms, outcome), in order."""
        fault = next((f for f in self._faults.get(transport, []) if f.person in (None, person)), None)
        if fault is None:
            receipt = [] if transport in self._mute else [(RECEIPT_MS, Outcome.DELIVERED)]
            return [(0, Outcome.ACCEPTED), *receipt]
        if fault.fail == "reject":
            return [(0, Outcome.REJECTED)]
        if fault.fail == "temporary":
            return [(0, Outcome.TEMPORARY)]
        return [(HANG_MS, Outcome.UNKNOWN)]
