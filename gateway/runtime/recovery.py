"""From the journal to a monitor that knows everything again: snapshot, then the records after it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.core.events import Event, Loaded
from gateway.core.monitor import Monitor
from gateway.core.store import State
from gateway.domain.effects import Effect
from gateway.runtime.effects import row_of
from gateway.runtime.fold import Fold
from gateway.runtime.page_log import PageLog
from gateway.runtime.pipeline import CURSOR
from gateway.runtime.ports import Damaged, Journal, Kind, OutboxRow, Record
from gateway.runtime.records import Unreadable, event_of
from gateway.runtime.snapshots import restore

READ_AT_ONCE = 2_000

Watch = Callable[[Record, Event, tuple[Effect, ...]], None]


@dataclass(slots=True)
class Recovered:
    """The fold as of record `judged`. `pending`: effects after the cursor, which a crash kept from being made durable.

    `stale` names the cells of a saved state that was not believed and that the fold does not have: nobody must read them again.
    """

    fold: Fold
    judged: int
    cursor: int
    snapshot: int
    stale: list[str] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    pending: list[OutboxRow] = field(default_factory=list)
    pages: PageLog = field(default_factory=PageLog)


async def recover(journal: Journal, watch: Watch | None = None) -> Recovered:
    """Fold the journal. Effects at or before the cursor were made durable when they were decided, and are not repeated."""
    as_of, cells = await journal.load_snapshot()
    state = await _state_as_of(journal, as_of, cells) if as_of else State()
    if state is None:
        as_of, state = 0, State()
    done = Recovered(Fold(Monitor(state)), as_of, await journal.cursor(CURSOR), as_of)
    while records := await journal.read(done.judged, READ_AT_ONCE):
        for record in records:
            done.judged = record.seq
            if isinstance(record, Damaged):
                done.damaged.append(record)
            else:
                _fold_one(done, record, watch)
    if not as_of:
        done.stale = [key for key in cells if done.fold.monitor.state.cell(key) is None]
    return done


def _fold_one(done: Recovered, record: Record, watch: Watch | None) -> None:
    event = done.fold.read(record)
    effects = done.fold.judge(event, record.received_at)
    done.pages.add(effects)
    done.pages.note(event, record.received_at)
    if record.seq > done.cursor:
        rows = (row_of(effect, record.seq, number) for number, effect in enumerate(effects))
        done.pending += [row for row in rows if row is not None]
    if watch is not None:
        watch(record, event, effects)


async def _state_as_of(journal: Journal, as_of: int, cells: dict[str, bytes]) -> State | None:
    """The saved state with the ward that was in force; None when either cannot be read: then everything is folded again."""
    try:
        state = restore(cells)
    except ValueError:  # saved by a version that kept other things
        return None
    configs = await journal.read_kinds([Kind.CONFIG], 0, as_of)
    newest = next((record for record in reversed(configs) if isinstance(record, Record)), None)
    if newest is None:
        return None
    try:
        loaded = event_of(newest)
    except Unreadable:
        return None
    if isinstance(loaded, Loaded):
        state.ward, state.protocols = loaded.ward, loaded.protocols
        state.index_rules()
    state.dirty.clear()
    return state
