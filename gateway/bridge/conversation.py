"""How bytes of a line become frames, and what is said on it. No I/O and no clock: the reader brings both."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from device_adapters.bcc_framing import Garbled
from device_adapters.bcc_polling import Answer, Event, Poller
from device_adapters.cutting import Cuts, Stream
from gateway.domain.instants import Instant

LINE_BYTES_MAX = 64 * 1024  # an object that has not ended by then is dropped up to its line feed


class Heard(NamedTuple):
    """One whole frame, or a whole answer of several; of the pump in `slot`, where only that one was asked."""

    body: bytes
    slot: str | None = None


class Conversation(Protocol):
    """One line from its opening to its end. `garbled` counts what was no frame."""

    garbled: int

    @property
    def due_at(self) -> Instant | None:
        """When `say` wants to be asked next (ms); None: this line is only listened to."""
        ...

    def receive(self, data: bytes, at: Instant) -> list[Heard]:
        """Bytes came at `at`; returns what is whole with them."""
        ...

    def say(self, at: Instant) -> tuple[bytes, list[Heard]]:
        """What is to be sent now, empty for nothing; and what is given up waiting for its rest."""
        ...


class BccTalk:
    """A B. Braun ComDevice, asked by the poller of its adapter."""

    def __init__(self, slots: Sequence[str], every_ms: int, started_at: Instant, *, stuffing: bool = True) -> None:
        self._poller = Poller(started_at=started_at, slots=tuple(slots), every_ms=every_ms, stuffing=stuffing)
        self.garbled = 0

    @property
    def due_at(self) -> Instant | None:
        """See `Conversation`."""
        return self._poller.next_at

    def receive(self, data: bytes, at: Instant) -> list[Heard]:
        """See `Conversation`."""
        return self._answers(self._poller.receive(data, at))

    def say(self, at: Instant) -> tuple[bytes, list[Heard]]:
        """See `Conversation`."""
        said, events = self._poller.due(at)
        return said, self._answers(events)

    def _answers(self, events: Sequence[Event]) -> list[Heard]:
        self.garbled += sum(isinstance(event, Garbled) for event in events)
        return [Heard(event.raw, event.slot) for event in events if isinstance(event, Answer)]


class Frames:
    """Devices that speak unasked, in frames whose ends their adapter knows."""

    due_at: Instant | None = None

    def __init__(self, adapter: Cuts) -> None:
        self._stream = Stream(adapter)
        self.garbled = 0

    def receive(self, data: bytes, at: Instant) -> list[Heard]:
        """See `Conversation`."""
        del at
        parts = self._stream.feed(data)
        self.garbled += sum(not part.is_frame for part in parts)
        return [Heard(part.body) for part in parts if part.is_frame]

    def say(self, at: Instant) -> tuple[bytes, list[Heard]]:
        """Nothing: this line is only listened to."""
        del at
        return b"", []


class TextLines:
    """Devices that send one object a line, unasked: `generic-json`, `relay-and-scale`."""

    due_at: Instant | None = None

    def __init__(self) -> None:
        self._held = bytearray()
        self._drops = False
        self.garbled = 0

    def receive(self, data: bytes, at: Instant) -> list[Heard]:
        """See `Conversation`."""
        del at
        *whole, rest = data.split(b"\n")
        found = []
        for part in whole:
            line = bytes(self._held + part).strip()
            if line and not self._drops and len(line) <= LINE_BYTES_MAX:
                found.append(Heard(line))
            self.garbled += self._drops or len(line) > LINE_BYTES_MAX
            self._held.clear()
            self._drops = False
        self._held += rest
        if len(self._held) > LINE_BYTES_MAX:
            self._held.clear()
            self._drops = True
        return found

    def say(self, at: Instant) -> tuple[bytes, list[Heard]]:
        """Nothing: this line is only listened to."""
        del at
        return b"", []
