"""Asking a B. Braun ComDevice, by the rules of BCC and no faster. Time is an argument (ms); bytes in, bytes and answers out.

    hello ── ALIVE sent ──► asking ── answer ──► resting ── due ──► asking ── ETB ──► acking ── 100 ms ──► asking …
      ▲                                                                │                                     │
      └──────────────────────────── no answer within PATIENCE_MS ◄─────┴─────────────────── ETX: an answer ──┘

The caller owns the port, and a clock that never jumps (a monotonic one):

    poller = Poller(started_at=now, slots=("11", "12"))
    forever: write, events = poller.due(now); then read until `poller.next_at` at most; events = poller.receive(data, now)

Only reading commands can be written: the enum `Ask` is closed, and `asked` is the only maker of bytes besides ACK. There is no
command here, nor a way to build one, that starts, stops or changes an infusion.

Source: B. Braun BCC protocol as public drivers implement it
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device_adapters.bcc_framing import ACK, Frame, Framer, Garbled
from device_adapters.checksums import sum_mod_256
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.readings import Refusal, Refused

ACK_AFTER_MS: Final = 100  # the ComDevice wants at least 0.1 s before an ACK
ASK_AFTER_MS: Final = 500  # and at least 0.5 s before the next question
PATIENCE_MS: Final = 5 * SECOND_MS  # for one block, which takes 1.3 s at 9,600 baud. Then: begin again with ALIVE
BLOCKS_MAX: Final = 64  # of one answer: 39 pumps need fewer. Beyond: the answer is given up by name
ANSWER_BYTES_MAX: Final = 128 * 1024  # of one answer, half of what the gateway reads; beyond: the same
FIRST_BED: Final = "1"  # by which a ComDevice is asked for its name

_BED: Final = re.compile(r"[ -=?-~]{1,15}")
_SLOT: Final = re.compile(r"[1-3][1-9A-O]")


class Ask(StrEnum):
    """Everything that Dripwatch may ever say to a ComDevice. All of it reads."""

    ALIVE = "ADMIN:ALIVE"
    VERSION = "ADMIN:VERSION"
    GET = "MEM:GET"
    GET_SLOT = "MEM:GETSLOT"


class Step(StrEnum):
    """Where the conversation is."""

    HELLO = "hello"
    ASKING = "asking"
    ACKING = "acking"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its blocks one after another as they came over the line; `whole` is False where blocks are missing or bad.

    `slot` is what was asked for; None where everything was.
    """

    raw: bytes
    slot: str | None
    whole: bool


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The ComDevice said nothing for PATIENCE_MS: cable, power, address or line speed."""


Event = Answer | NoAnswer | Garbled


def asked(ask: Ask, *, bed: str, slot: str | None = None, stuffing: bool = True) -> bytes:
    """The frame of a question, as it goes over the line. `bed` 1-15 printable characters; `slot` xy, with GET_SLOT only.

    Raises ValueError for anything else: nothing but the reading commands can be encoded.
    """
    if _BED.fullmatch(bed) is None:
        raise ValueError("bed: 1 to 15 printable ASCII characters without >")
    if (slot is not None) is not (ask is Ask.GET_SLOT) or (slot is not None and _SLOT.fullmatch(slot) is None):
        raise ValueError("slot: pillar 1-3 and pump 1-9 or A-O, with MEM:GETSLOT only")
    text = f"{bed}/1/1>{Ask(ask).value}{f'#{slot}' if slot is not None else ''}".encode()
    body = b"\x01%05d\x02%b\x03" % (1 + 5 + 1 + len(text) + 1 + 5 + 1, text)
    plain = body + b"%05d\x04" % sum_mod_256(body)
    return _stuffed(plain) if stuffing else plain


def _stuffed(plain: bytes) -> bytes:
    return plain.replace(b"E", b"EE").replace(b"D", b"EX").replace(b"e", b"ee").replace(b"d", b"ex")


class Poller:
    """The conversation with one ComDevice. `slots`: ask for each in turn; none: ask for all pumps at once.

    `every_ms` from one round to the next. Holds one answer at most.
    """

    def __init__(
        self, *, started_at: Instant, slots: tuple[str, ...] = (), every_ms: int = 10 * SECOND_MS, stuffing: bool = True
    ) -> None:
        self.step = Step.HELLO
        self.bed = FIRST_BED
        self.next_at = started_at
        self._turns: tuple[str | None, ...] = slots or (None,)
        self._turn = 0
        self._every_ms = every_ms
        self._stuffing = stuffing
        self._round_at = started_at
        self._framer = Framer()
        self._blocks: list[bytes] = []
        self._good = True
        self._waits = False  # something was asked, and its answer has not ended

    def due(self, at: Instant) -> tuple[bytes, tuple[Event, ...]]:
        """What to write at `at`, and what the passing of time means; nothing of either before `next_at`."""
        if at < self.next_at:
            return b"", ()
        if self.step is Step.ACKING:
            return self._wrote(ACK, at), ()
        events: tuple[Event, ...] = ()
        if self._waits:
            events = (*self._given_up(), NoAnswer())
            self.step, self.bed = Step.HELLO, FIRST_BED
        if self.step is Step.HELLO:
            return self._wrote(asked(Ask.ALIVE, bed=self.bed, stuffing=self._stuffing), at), events
        slot = self._turns[self._turn]
        ask = Ask.GET if slot is None else Ask.GET_SLOT
        if self._turn == 0:
            self._round_at = at
        return self._wrote(asked(ask, bed=self.bed, slot=slot, stuffing=self._stuffing), at), events

    def receive(self, data: bytes, at: Instant) -> list[Event]:
        """What the bytes that came in at `at` tell, in their order."""
        events: list[Event] = []
        for found in self._framer.feed(data):
            if isinstance(found, Garbled):
                self._good = False
                events.append(found)
            else:
                events += self._take(found, at)
        return events

    def _wrote(self, said: bytes, at: Instant) -> bytes:
        self.step = Step.HELLO if self.step is Step.HELLO else Step.ASKING
        self._waits, self.next_at = True, at + PATIENCE_MS
        return said

    def _take(self, frame: Frame, at: Instant) -> list[Event]:
        if not self._waits:
            return []  # a word that nobody asked for: an answer that came after we had given it up
        if self.step is Step.HELLO:
            self.bed = frame.bed.decode("ascii")
            self._rest(at, at + ASK_AFTER_MS)
            return []
        self._blocks.append(frame.raw)
        if frame.last:
            slot = self._turns[self._turn]
            answer = Answer(b"".join(self._blocks), slot, whole=self._good)
            self._turn = (self._turn + 1) % len(self._turns)
            due_at = at + ASK_AFTER_MS if self._turn else max(at + ASK_AFTER_MS, self._round_at + self._every_ms)
            self._rest(at, due_at)
            return [answer]
        if len(self._blocks) >= BLOCKS_MAX or sum(map(len, self._blocks)) >= ANSWER_BYTES_MAX:
            refused = Refused(Refusal.TOO_MANY, "ETB", f"an answer of more than {BLOCKS_MAX} blocks or {ANSWER_BYTES_MAX} bytes")
            events = [*self._given_up(), Garbled(refused, b"")]
            self._rest(at, at + ASK_AFTER_MS)
            return events
        self.step, self.next_at = Step.ACKING, at + ACK_AFTER_MS
        return []

    def _rest(self, at: Instant, until: Instant) -> None:
        self.step, self.next_at, self._waits = Step.RESTING, max(at, until), False
        self._blocks, self._good = [], True

    def _given_up(self) -> list[Event]:
        """The blocks that came of an answer that did not end: an alarm in them is worth telling."""
        events: list[Event] = [item for item in self._framer.finish() if isinstance(item, Garbled)]
        if self._blocks:
            events.append(Answer(b"".join(self._blocks), self._turns[self._turn], whole=False))
        self._blocks, self._good, self._waits = [], True, False
        return events
