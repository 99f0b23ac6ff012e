"""How the bench talks on a line, adapter by adapter, and cuts into frames what comes. No I/O and no clock.

Unlike the bridge's conversations these hand out what was garbled too: on the bench that is what one looks for.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from device_adapters.bcc_framing import Frame, Framer, Garbled
from device_adapters.bcc_polling import Answer, Event, NoAnswer, Poller
from device_adapters.bounds import PAYLOAD_BYTES_MAX
from device_adapters.cutting import Cuts, Stream
from device_adapters.mllp import VT, MllpFramer, Unframed
from device_adapters.registry import ADAPTERS
from gateway.bridge.conversation import TextLines
from gateway.domain.instants import SECOND_MS, Instant

OBJECT_A_LINE = ("relay-and-scale", "generic-json")  # one object a line
ASK_EVERY_MS = SECOND_MS  # as a bridge does: a technician waits for each answer


class Piece(NamedTuple):
    """One frame or answer, or bytes that were none; of the pump in `slot`, where only that one was asked."""

    body: bytes
    slot: str | None = None


class Talk(Protocol):
    """One line from its opening to its end. `unanswered` counts the questions that nobody answered."""

    unanswered: int

    @property
    def due_at(self) -> Instant | None:
        """When `say` wants to be asked next (ms); None: this line is only listened to."""
        ...

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """Bytes came at `at`; returns what is whole with them."""
        ...

    def say(self, at: Instant) -> tuple[bytes, list[Piece]]:
        """What is to be sent now, empty for nothing; and what is given up waiting for its rest."""
        ...

    def finish(self) -> list[Piece]:
        """The line is closed: what is left over."""
        ...


class Asking:
    """A B. Braun ComDevice, asked for its pumps by the poller of its adapter, which has no other questions than reading ones."""

    def __init__(self, slots: Sequence[str], started_at: Instant) -> None:
        self._poller = Poller(started_at=started_at, slots=tuple(slots), every_ms=ASK_EVERY_MS)
        self.unanswered = 0

    @property
    def due_at(self) -> Instant | None:
        """See `Talk`."""
        return self._poller.next_at

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """See `Talk`."""
        return self._pieces(self._poller.receive(data, at))

    def say(self, at: Instant) -> tuple[bytes, list[Piece]]:
        """See `Talk`."""
        said, events = self._poller.due(at)
        return said, self._pieces(events)

    def finish(self) -> list[Piece]:
        """An answer that was cut comes again when the line is open again."""
        return []

    def _pieces(self, events: Iterable[Event]) -> list[Piece]:
        pieces = []
        for event in events:
            match event:
                case Answer():
                    pieces.append(Piece(event.raw, event.slot))
                case Garbled(raw=raw) if raw:
                    pieces.append(Piece(raw))
                case NoAnswer():
                    self.unanswered += 1
                case _:
                    pass
        return pieces


class Listening:
    """What never asks. `due_at` is None: bytes come by themselves."""

    due_at: Instant | None = None
    unanswered = 0

    def say(self, at: Instant) -> tuple[bytes, list[Piece]]:
        """Nothing."""
        del at
        return b"", []


class Overhearing(Listening):
    """BCC between a ComDevice and another host, or in a file: whole answers, questions, and what was garbled."""

    def __init__(self) -> None:
        self._framer = Framer()
        self._blocks: list[bytes] = []

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """See `Talk`."""
        del at
        return self._pieces(self._framer.feed(data))

    def finish(self) -> list[Piece]:
        """See `Talk`."""
        found = self._pieces(self._framer.finish())
        return [*found, *self._answer()]

    def _pieces(self, events: Iterable[Frame | Garbled]) -> list[Piece]:
        pieces = []
        for event in events:
            if isinstance(event, Garbled):
                pieces.append(Piece(event.raw))
                continue
            self._blocks.append(event.raw)
            if event.last or sum(map(len, self._blocks)) >= PAYLOAD_BYTES_MAX // 2:
                pieces += self._answer()
        return pieces

    def _answer(self) -> list[Piece]:
        whole = b"".join(self._blocks)
        self._blocks.clear()
        return [Piece(whole)] if whole else []


class Lines(Listening):
    """One object a line: `OBJECT_A_LINE`."""

    def __init__(self) -> None:
        self._lines = TextLines()

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """See `Talk`."""
        return [Piece(found.body) for found in self._lines.receive(data, at)]

    def finish(self) -> list[Piece]:
        """The last line may have no end."""
        return self.receive(b"\n", 0)


class Messages(Listening):
    """HL7 in MLLP frames, which are not part of the message. Nothing is acknowledged: the sender may send again."""

    def __init__(self) -> None:
        self._framer = MllpFramer()

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """See `Talk`."""
        del at
        return self._pieces(self._framer.feed(data))

    def finish(self) -> list[Piece]:
        """See `Talk`."""
        return self._pieces(self._framer.finish())

    def _pieces(self, events: Iterable[bytes | Unframed]) -> list[Piece]:
        return [Piece(event if isinstance(event, bytes) else event.raw) for event in events]


class Cutting(Listening):
    """A device whose adapter says where its frames end."""

    def __init__(self, adapter: Cuts) -> None:
        self._stream = Stream(adapter)

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """See `Talk`."""
        del at
        return [Piece(part.body) for part in self._stream.feed(data)]

    def finish(self) -> list[Piece]:
        """See `Talk`."""
        return [Piece(part.body) for part in self._stream.finish()]


class Whatever(Listening):
    """Bytes as they come, for a device that has no adapter yet."""

    def receive(self, data: bytes, at: Instant) -> list[Piece]:
        """See `Talk`."""
        del at
        return [Piece(data)]

    def finish(self) -> list[Piece]:
        """Nothing is held."""
        return []


def listener(adapter: str | None) -> Talk | None:
    """What cuts a stream into this adapter's frames without asking; None where nobody knows how."""
    match adapter:
        case None:
            return Whatever()
        case "bbraun-bcc":
            return Overhearing()
        case name if name in OBJECT_A_LINE:
            return Lines()
        case "ihe-pcd":
            return Messages()
        case _:
            known = ADAPTERS.get(adapter)
            return Cutting(known) if isinstance(known, Cuts) else None


def cut(adapter: str, data: bytes) -> list[Piece]:
    """A file's bytes as frames; one frame where nobody knows how to cut."""
    talk = listener(adapter)
    if adapter == "ihe-pcd" and VT not in data:  # messages without frames: the adapter finds where they end
        return [Piece(data)]
    return [Piece(data)] if talk is None else [*talk.receive(data, 0), *talk.finish()]
