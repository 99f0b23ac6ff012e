"""Saves the monitor's cells bit by bit, all as of one record, while the monitor goes on.

At `begin` the changed cells are only named. Before one of them changes again it is written down as it was; the others are written
a few at a time. When all are staged the snapshot becomes the current one.
"""

from collections.abc import Mapping
from itertools import islice

from pydantic import TypeAdapter

from gateway.core.state import Course, Desk, Pump, Site
from gateway.core.store import State
from gateway.runtime.ports import Journal, JournalFull

EVERY_RECORDS = 20_000  # a restart folds at most this many, and what came while the snapshot was written
CELLS_AT_ONCE = 100
ROUNDS_MAX = 80  # of at most 250 records each: while records pour in, a snapshot is done after 20,000 of them

_PUMPS = TypeAdapter(Pump)
_COURSES = TypeAdapter(Course)
_SITES = TypeAdapter(Site)
_DESKS = TypeAdapter(Desk)


def dump(state: State, key: str) -> bytes | None:
    """One cell as JSON; None when there is no such cell."""
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
    """A state from saved cells; ward and protocols come from the journal's newest config record."""
    state = State()
    for key, body in cells.items():
        kind, _, name = key.partition(":")
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

    def resume(self, as_of: int) -> None:
        """The snapshot that this run was started from."""
        self._last = self._as_of = as_of

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
