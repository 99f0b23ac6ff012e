"""The outside world as the runtime needs it. Another broker, journal or store implements these and nothing else changes."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.domain.effects import Page
from gateway.domain.instants import Instant
from gateway.domain.words import Outcome


class Kind(StrEnum):
    """What a journal record is. `command` and `config` are never pruned."""

    MESSAGE = "message"
    COMMAND = "command"
    REPLY = "reply"
    OUTCOME = "outcome"
    CONFIG = "config"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record before it has a place in the journal. `site`, `device`, `topic` are empty where they do not apply."""

    received_at: Instant
    kind: Kind
    site: str
    device: str
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A durable journal record. `seq` rises by one a record and is never used again."""

    seq: int
    received_at: Instant
    kind: Kind
    site: str
    device: str
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Damaged:
    """A record whose checksum does not match its bytes: reported by number and skipped."""

    seq: int
    detail: str


class EffectKind(StrEnum):
    """What an outbox row holds."""

    PAGE = "page"
    ANSWER = "answer"
    POINT = "point"


class SendState(StrEnum):
    """Where an outbox row is. PLANNED and SENDING rows are picked up again after a crash; DONE rows only tell history."""

    PLANNED = "planned"
    SENDING = "sending"
    AWAITING_RECEIPT = "awaiting-receipt"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A keyed effect as it is kept: `body` is the effect's JSON, `attempts` counts the sends begun."""

    key: str
    kind: EffectKind
    planned_at: Instant
    body: bytes
    state: SendState = SendState.PLANNED
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one round of retention removed."""

    records: int
    oldest_kept_at: Instant | None


class JournalFull(Exception):
    """The journal cannot store (disk full, locked, damaged file). Nothing of the batch was kept; try again later."""


class Journal(Protocol):
    """A durable, ordered log with the outbox, cursors and snapshots beside it, all in one transaction domain.

    Awaiting a writing method returns when the write is durable (fsynced). Writes are taken in call order and grouped:
    whatever arrived while the last commit ran goes into the next one, at most 500 records. Raises `JournalFull`; the caller
    keeps what it had and tries again.
    """

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store `entries` in order; return the seq of the first (they are consecutive)."""
        ...

    async def commit(self, cursor: str, seq: int, plan: Sequence[OutboxRow] = ()) -> None:
        """Move `cursor` to `seq` and insert `plan` in one transaction. A key that is there already is left as it is."""
        ...

    async def mark(self, key: str, state: SendState, attempts: int) -> None:
        """Change the state of an outbox row."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Delete outbox rows (points that the store has)."""
        ...

    async def read(self, after: int, limit: int) -> list[Record | Damaged]:
        """Records with seq > `after`, in order, at most `limit`; damaged ones are reported in place."""
        ...

    async def read_kinds(self, kinds: Iterable[Kind], after: int, up_to: int) -> list[Record | Damaged]:
        """All records of these kinds with `after` < seq <= `up_to`, in order."""
        ...

    async def last_seq(self) -> int:
        """Seq of the newest record; 0 in an empty journal. Never falls, also after pruning."""
        ...

    async def cursor(self, name: str) -> int:
        """Where `name` stands; 0 when it never moved."""
        ...

    async def outbox(self, kind: EffectKind, states: Iterable[SendState], limit: int) -> list[OutboxRow]:
        """Rows of a kind in these states, oldest plan first."""
        ...

    async def stage_snapshot(self, as_of: int, cells: Mapping[str, bytes]) -> None:
        """Write part of a snapshot of the state right after record `as_of`. Unseen until `complete_snapshot`."""
        ...

    async def complete_snapshot(self, as_of: int, gone: Sequence[str] = ()) -> None:
        """Make all staged cells of `as_of` the current snapshot, over older cells; drop `gone` and superseded ones."""
        ...

    async def load_snapshot(self) -> tuple[int, dict[str, bytes]]:
        """The newest complete snapshot: (as_of, cells). (0, {}) when there is none, or when one of its cells is damaged."""
        ...

    async def prune(self, *, before_at: Instant, max_bytes: int, keep_after: int) -> Pruned:
        """Retention: remove prunable records received before `before_at`, and the oldest while the file exceeds `max_bytes`.

        Never a record with seq > `keep_after`, never `command` or `config`. Finished outbox rows older than `before_at` go too.
        """
        ...

    async def close(self) -> None:
        """Finish what is queued and release the file."""
        ...


class Session(StrEnum):
    """What became of the broker session."""

    LOST = "lost"
    UP = "up"
    DRAINED = "drained"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message in hand, not yet acknowledged. `ticket` is the source's own business."""

    topic: str
    payload: bytes
    ticket: object
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """The broker's count of messages that it dropped since it started: at first, and whenever it has changed."""

    total: int


class Source(Protocol):
    """Where messages come from. Holds its connection by itself; never drops what it was given."""

    async def run(self) -> None:
        """Connect, subscribe, reconnect with backoff; until cancelled."""
        ...

    async def take(self) -> list[Incoming | Session | Dropped]:
        """Wait; then return everything in hand, in arrival order. Nothing is acknowledged by being taken.

        `Session.DRAINED` follows `UP` when the backlog has been read (no message for 1 s).
        """
        ...

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker, in arrival order, that these are durable. Of a session that is gone: a no-op (they come again)."""
        ...

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 under `dwack/`; best effort, bounded, dropped while there is no session."""
        ...


class Clock(Protocol):
    """Wall time that never runs backwards."""

    def now(self) -> Instant:
        """UTC now, in ms; never less than before."""
        ...

    async def sleep_until(self, at: Instant) -> None:
        """Return when `now() >= at` (or a little later)."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transport took the message; never "delivered"."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It will never be sent like this (permanent), or not now (`temporary`)."""

    reason: str
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was sent (time-out, connection lost mid-send)."""

    reason: str


SendResult = Accepted | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery report of the provider for a message that it accepted."""

    provider_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Message:
    """What a transport is asked to send: a page or an answer, reduced to what the wire needs."""

    key: str
    address: str
    text: str
    subject: str
    urgent: bool


class Transport(Protocol):
    """One way to reach people."""

    name: str

    async def send(self, message: Message) -> SendResult:
        """Hand one message over; never raises for what the world does. The caller sets the deadline."""
        ...

    def receipts(self) -> AsyncIterator[Receipt]:
        """Delivery reports as they come; ends at once where the transport has none."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Sends(Protocol):
    """What the dispatcher asks before each attempt; answered from the live state."""

    def wanted(self, page: Page) -> bool | None:
        """True: send. None: not now (no alert is firing). False: pointless, withdraw."""
        ...
