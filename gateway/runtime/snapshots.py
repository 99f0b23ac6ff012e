"""Saves the monitor's cells bit by bit, all as of one record, while the monitor goes on.

At `begin` the changed cells are only named. Before one of them changes again it is written down as it was; the others are written
a few at a time. When all are staged the snapshot becomes the current one.
"""

import hashlib
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from gateway.core.desk import Desk
from gateway.core.state import Course, Pump, Site
from gateway.core.store import State
from gateway.runtime.ports import Journal, JournalFull

EVERY_RECORDS = 20_000  # a restart folds at most this many, and what came while the snapshot was written
CELLS_AT_ONCE = 100
BYTES_AT_ONCE = 4 * 1_048_576  # and one cell more: pages wait meanwhile, and a course with many long incidents is large
ROUNDS_MAX = 80  # of at most 250 records each: while records pour in, a snapshot is done after 20,000 of them

STAMP_CHARS = 16

_PUMPS = TypeAdapter(Pump)
_COURSES = TypeAdapter(Course)
_SITES = TypeAdapter(Site)
_DESKS = TypeAdapter(Desk)


def stamp_of(*kinds: type) -> str:
    """A fingerprint of all that these dataclasses hold, however deep: every field's name and type.

    A snapshot with another stamp was written by a version that kept other things, and is not read: with fields left out or filled
    by their defaults it would be believed, and wrong.
    """
    found: dict[type, str] = {}
    waiting: list[Any] = list(kinds)
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if is_dataclass(kind) and isinstance(kind, type) and kind not in found:
            hints = get_type_hints(kind)
            parts = ", ".join(f"{field.name}: {_words_of(hints[field.name])}" for field in fields(kind))
            found[kind] = f"{kind.__qualname__}({parts})"
            waiting += [hints[field.name] for field in fields(kind)]
    return hashlib.sha256("\n".join(sorted(found.values())).encode()).hexdigest()[:STAMP_CHARS]


def _words_of(kind: Any) -> str:
    """A type in words; of an enumeration its values too, for they are what is saved."""
    args = get_args(kind)
    if args:
        name = "union" if isinstance(kind, types.UnionType) else getattr(kind, "__name__", str(kind))
        return f"{name}[{', '.join(_words_of(arg) for arg in args)}]"
    values = getattr(kind, "__members__", None)
    name = str(getattr(kind, "__qualname__", kind))
    return f"{name}({', '.join(str(member.value) for member in values.values())})" if values else name


STAMP = stamp_of(Pump, Course, Site, Desk).encode() + b" "


def dump(state: State, key: str) -> bytes | None:
    """One cell as JSON behind the stamp of its form; None when there is no such cell."""
    body = _json_of(state, key)
    return None if body is None else STAMP + body


def _json_of(state: State, key: str) -> bytes | None:
    cell = state.cell(key)
    match cell:
        case Pump():
            return _PUMPS.dump_json(cell)
        case Course():
            return _COURSES.dump_json(cell)
        case Site():
            return _SITES.dump_json(cell)
        case Desk():
            return _DESKS.dump_json(cell)
        case None:
            return None


def restore(cells: Mapping[str, bytes]) -> State:
    """A state from saved cells; ward and protocols come from the journal's newest config record.

    Raises ValueError when one of them was saved in another form than ours, or cannot be read.
    """
    state = State()
    for key, stamped in cells.items():
        if not stamped.startswith(STAMP):
            raise ValueError(f"{key} was saved in another form")
        kind, _, name = key.partition(":")
        body = stamped[len(STAMP) :]
        if kind == "pump":
            state.pumps[name] = _PUMPS.validate_json(body)
        elif kind == "course":
            state.courses[name] = _COURSES.validate_json(body)
        elif kind == "site":
            state.sites[name] = _SITES.validate_json(body)
        else:
            state.desk = _DESKS.validate_json(body)
    return state


class Snapshotter:
    """One snapshot at a time."""

    def __init__(self, journal: Journal, state: State) -> None:
        self._journal, self._state = journal, state
        self._as_of = 0
        self._last = 0
        self._todo: set[str] = set()
        self._ready: dict[str, bytes] = {}
        self._gone: list[str] = []
        self._staging = False
        self._at_once = CELLS_AT_ONCE
        state.before_change = self._save

    @property
    def as_of(self) -> int:
        """The record of the newest complete snapshot of this run."""
        return self._last

    def resume(self, as_of: int, stale: Sequence[str] = ()) -> None:
        """The snapshot that this run was started from; `stale` cells of one that was not believed go with the next."""
        self._last = self._as_of = as_of
        self._gone += stale

    def is_due(self, seq: int) -> bool:
        """Whether record `seq` is far enough from the last snapshot, and none is being written."""
        return not self._staging and seq - self._as_of >= EVERY_RECORDS

    def begin(self, seq: int) -> None:
        """Everything changed since the last snapshot belongs to the one as of `seq`; called between two records."""
        self._as_of, self._staging = seq, True
        self._todo = set(self._state.dirty) | {"desk:"}
        self._state.dirty.clear()
        self._state.frozen = self._todo
        self._at_once = max(CELLS_AT_ONCE, -(-len(self._todo) // ROUNDS_MAX))
        self._save("desk:")

    async def work(self) -> None:
        """Write some cells down; returns soon. Does nothing while no snapshot is being written.

        Raises `JournalFull`; what could not be stored is stored next time.
        """
        if not self._staging:
            return
        for key in list(islice(self._todo, self._at_once)):
            self._save(key)
            if sum(map(len, self._ready.values())) > BYTES_AT_ONCE:
                break
        ready, self._ready = self._ready, {}
        done = not self._todo
        if ready:
            try:
                await self._journal.stage_snapshot(self._as_of, ready)
            except JournalFull:
                self._ready |= ready  # each cell is written down once a snapshot: the two have none in common
                raise
        if done and not self._ready:
            await self._journal.complete_snapshot(self._as_of, self._gone)
            self._last, self._staging, self._gone = self._as_of, False, []

    def _save(self, key: str) -> None:
        """Write a cell down as it is now, before it changes."""
        if key not in self._todo:
            return
        self._todo.discard(key)
        body = dump(self._state, key)
        if body is None:
            self._gone.append(key)
        else:
            self._ready[key] = body
