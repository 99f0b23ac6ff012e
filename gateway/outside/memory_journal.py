"""A journal that forgets everything when the program ends: for tests, scenarios and demos. Same behaviour, no disk."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter

from gateway.domain.instants import Instant
from gateway.runtime.ports import (
    Damaged,
    EffectKind,
    Entry,
    JournalFull,
    Kind,
    OutboxRow,
    Pruned,
    Record,
    SendState,
)

_KEPT_FOR_EVER = frozenset({Kind.COMMAND, Kind.CONFIG})
_RECORD_OVERHEAD_BYTES = 40  # what the numbers and the kind of a record would take in a file, about
_SEQ = attrgetter("seq")


@dataclass(frozen=True, slots=True)
class _Planned:
    """An outbox row with the order of its insertion, which decides between equal times of planning."""

    row: OutboxRow
    n: int


class MemoryJournal:
    """Implements `gateway.runtime.ports.Journal`. While `refusing` holds a reason, writes raise `JournalFull` with it."""

    def __init__(self) -> None:
        self.refusing = ""
        self._closed = False
        self._records: list[Record] = []
        self._last_seq = 0
        self._cursors: dict[str, int] = {}
        self._outbox: dict[str, _Planned] = {}
        self._planned = 0
        self._staged: dict[int, dict[str, bytes]] = {}
        self._cells: dict[str, tuple[int, bytes]] = {}  # name → (as_of, body)
        self._snapshot_as_of = 0

    async def append(self, entries: Sequence[Entry]) -> int:
        """Store `entries` in order; return the seq of the first. Of none: the seq that the next record would get."""
        self._check_writable()
        first = self._last_seq + 1
        self._records += [
            Record(seq, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
            for seq, entry in enumerate(entries, first)
        ]
        self._last_seq += len(entries)
        return first

    async def commit(self, cursor: str, seq: int, plan: Sequence[OutboxRow] = ()) -> None:
        """Move `cursor` to `seq` and insert `plan`. A key that is there already is left as it is."""
        self._check_writable()
        for row in plan:
            if row.key not in self._outbox:
                self._planned += 1
                self._outbox[row.key] = _Planned(row, self._planned)
        self._cursors[cursor] = seq

    async def mark(self, key: str, state: SendState, attempts: int) -> None:
        """Change the state of an outbox row; of a key that is gone: a no-op."""
        self._check_writable()
        if (planned := self._outbox.get(key)) is not None:
            self._outbox[key] = replace(planned, row=replace(planned.row, state=state, attempts=attempts))

    async def forget(self, keys: Sequence[str]) -> None:
        """Delete outbox rows."""
        self._check_writable()
        for key in keys:
            self._outbox.pop(key, None)

    async def read(self, after: int, limit: int) -> list[Record | Damaged]:
        """Records with seq > `after`, in order, at most `limit`."""
        start = self._place_after(after)
        return list(self._records[start : start + limit])

    async def read_kinds(self, kinds: Iterable[Kind], after: int, up_to: int) -> list[Record | Damaged]:
        """All records of these kinds with `after` < seq <= `up_to`, in order."""
        wanted = frozenset(kinds)
        between = islice(self._records, self._place_after(after), self._place_after(up_to))
        return [record for record in between if record.kind in wanted]

    async def last_seq(self) -> int:
        """Seq of the newest record; 0 in an empty journal. Never falls, also after pruning."""
        return self._last_seq

    async def cursor(self, name: str) -> int:
        """Where `name` stands; 0 when it never moved."""
        return self._cursors.get(name, 0)

    async def outbox(self, kind: EffectKind, states: Iterable[SendState], limit: int) -> list[OutboxRow]:
        """Rows of a kind in these states, oldest plan first."""
        wanted = frozenset(states)
        chosen = [planned for planned in self._outbox.values() if planned.row.kind is kind and planned.row.state in wanted]
        chosen.sort(key=lambda planned: (planned.row.planned_at, planned.n))
        return [planned.row for planned in chosen[:limit]]

    async def stage_snapshot(self, as_of: int, cells: Mapping[str, bytes]) -> None:
        """Keep part of a snapshot of the state right after record `as_of`. Unseen until `complete_snapshot`."""
        self._check_writable()
        self._staged.setdefault(as_of, {}).update(cells)

    async def complete_snapshot(self, as_of: int, gone: Sequence[str] = ()) -> None:
        """Make what was staged for `as_of` the current snapshot, over older cells; drop `gone` and superseded cells."""
        self._check_writable()
        for name, body in self._staged.pop(as_of, {}).items():
            if self._cells.get(name, (0, b""))[0] <= as_of:
                self._cells[name] = (as_of, body)
        for name in gone:
            if self._cells.get(name, (as_of + 1, b""))[0] <= as_of:
                del self._cells[name]
        self._staged = {staged_as_of: cells for staged_as_of, cells in self._staged.items() if staged_as_of > as_of}
        self._snapshot_as_of = max(self._snapshot_as_of, as_of)

    async def load_snapshot(self) -> tuple[int, dict[str, bytes]]:
        """The newest complete snapshot: (as_of, cells). (0, {}) when there is none."""
        return self._snapshot_as_of, {name: body for name, (_, body) in self._cells.items()}

    async def prune(self, *, before_at: Instant, max_bytes: int, keep_after: int) -> Pruned:
        """Retention as in the file: by age, then by size; never `command`, `config`, or a record above `keep_after`."""
        self._check_writable()
        before = len(self._records)
        prunable = {r.seq for r in self._records if r.kind not in _KEPT_FOR_EVER and r.seq <= keep_after}
        self._records = [r for r in self._records if r.seq not in prunable or r.received_at >= before_at]
        excess = sum(map(_size, self._records)) - max_bytes
        too_much: set[int] = set()
        for record in self._records:
            if excess > 0 and record.seq in prunable:
                excess -= _size(record)
                too_much.add(record.seq)
        self._records = [r for r in self._records if r.seq not in too_much]
        self._outbox = {key: planned for key, planned in self._outbox.items() if not _is_over(planned.row, before_at)}
        oldest = next((record.received_at for record in self._records if record.kind not in _KEPT_FOR_EVER), None)
        return Pruned(records=before - len(self._records), oldest_kept_at=oldest)

    def findings(self) -> list[tuple[str, str]]:
        """Memory is not damaged: always empty."""
        return []

    async def close(self) -> None:
        """Refuse further writes; what was written can still be read."""
        self._closed = True

    def _check_writable(self) -> None:
        if self._closed:
            raise RuntimeError("the journal is closed")
        if self.refusing:
            raise JournalFull(self.refusing)

    def _place_after(self, seq: int) -> int:
        return bisect_right(self._records, seq, key=_SEQ)


def _size(record: Record) -> int:
    return len(record.body) + len(record.topic) + len(record.site) + len(record.device) + _RECORD_OVERHEAD_BYTES


def _is_over(row: OutboxRow, before_at: Instant) -> bool:
    return row.state is SendState.DONE and row.planned_at < before_at
