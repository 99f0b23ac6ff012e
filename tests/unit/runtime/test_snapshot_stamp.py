"""A snapshot is read only by a version that keeps the same things in the same form; otherwise the journal tells all."""

import os
import subprocess
import sys
from dataclasses import dataclass, field, make_dataclass
from enum import StrEnum

import pytest

from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.recovery import recover
from gateway.runtime.snapshots import STAMP, Snapshotter, restore, stamp_of
from tests.support.histories import Live, cells_of


class Colour(StrEnum):
    """What a lamp shows."""

    RED = "red"


@dataclass
class Lamp:
    """A part."""

    colour: Colour = Colour.RED
    lit_at: tuple[int, ...] = ()


@dataclass
class Panel:
    """A whole."""

    lamps: dict[str, Lamp] = field(default_factory=dict)
    spare: Lamp | None = None


DARK_LAMP = make_dataclass("Lamp", [("colour", Colour)])
BLUE_LAMP = make_dataclass("Lamp", [("colour", StrEnum("Colour", {"BLUE": "blue"})), ("lit_at", tuple[int, ...])])
CHANGED = [
    make_dataclass("Panel", [("lamps", dict[str, Lamp]), ("spare", Lamp | None), ("more", int)]),
    make_dataclass("Panel", [("lamps", dict[str, Lamp])]),
    make_dataclass("Panel", [("lights", dict[str, Lamp]), ("spare", Lamp | None)]),
    make_dataclass("Panel", [("lamps", list[Lamp]), ("spare", Lamp | None)]),
    make_dataclass("Panel", [("lamps", dict[str, DARK_LAMP]), ("spare", DARK_LAMP | None)]),
    make_dataclass("Panel", [("lamps", dict[str, BLUE_LAMP]), ("spare", BLUE_LAMP | None)]),
]
SAME = make_dataclass("Panel", [("lamps", dict[str, Lamp]), ("spare", Lamp | None)])


@pytest.mark.parametrize("changed", CHANGED)
def test_whatever_changes_in_the_form_changes_the_stamp(changed: type):
    """A field more, less, renamed, of another type; deep inside; another value of an enumeration."""
    assert stamp_of(changed) != stamp_of(Panel)


def test_the_same_form_has_the_same_stamp_in_every_process():
    """Whatever the order in which parts are looked at, and whatever the hash seed."""
    assert stamp_of(Panel, Lamp) == stamp_of(Lamp, Panel) == stamp_of(Panel) == stamp_of(SAME)
    code = "from gateway.runtime.snapshots import STAMP; print(STAMP.decode().strip())"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == STAMP.decode().strip()


@pytest.mark.hazard("H-44")
async def test_cells_of_another_form_are_not_read_and_do_not_come_back():
    """They would even parse; the journal is folded instead, and the next snapshot is believed again, without the strange cell."""
    journal = MemoryJournal()
    live = Live(13, journal, often=0)
    async for _ in live.grow(20):
        pass
    await live.save()
    as_of, cells = await journal.load_snapshot()
    other = {key: b"0" * (len(STAMP) - 1) + b" " + body[len(STAMP) :] for key, body in cells.items()}
    other["pump:ward/long-gone"] = other["pump:ward/pump-3"]
    with pytest.raises(ValueError, match="another form"):
        restore(other)
    await journal.stage_snapshot(as_of, other)
    await journal.complete_snapshot(as_of)
    recovered = await recover(journal)
    assert (recovered.snapshot, recovered.stale) == (0, ["pump:ward/long-gone"])
    assert cells_of(recovered.fold.monitor.state) == live.cells
    snapshotter = Snapshotter(journal, recovered.fold.monitor.state)
    snapshotter.resume(recovered.snapshot, recovered.stale)
    snapshotter.begin(recovered.judged)
    while snapshotter.as_of != recovered.judged:
        await snapshotter.work()
    again = await recover(journal)
    assert (again.snapshot, again.stale) == (recovered.judged, [])
    assert cells_of(again.fold.monitor.state) == live.cells
