"""The spool's file: what it keeps, in which order it hands out, what goes first when it is full, what it refuses to open."""

import sqlite3
from pathlib import Path

import pytest

from gateway.bridge.spool import FRAME_OVERHEAD_BYTES, Spool, SpoolFailed, SpoolInUse, set_aside
from tests.support.bridge_parts import frame


def opened(path: Path | None, *, max_bytes: int = 1 << 20, max_frames: int = 1_000) -> Spool:
    """A spool with small limits."""
    return Spool.open(path, max_bytes=max_bytes, max_frames=max_frames)


def test_what_was_written_is_there_after_reopening(tmp_path: Path):
    """Frames with every field, marks, and the counts."""
    spool = opened(tmp_path / "new" / "spool.db")
    frames = [frame(1), frame(2, urgent=True, body=b"\x00\x01\xff"), frame(3)]
    spool.write(frames, (), {"seq:pump-01": "3"})
    boot = spool.marks["boot"]
    spool.close()
    again = opened(tmp_path / "new" / "spool.db")
    assert list(again.all()) == frames
    assert (again.count, again.newest_id, again.marks["seq:pump-01"], again.marks["boot"]) == (3, 3, "3", boot)
    assert again.bytes == 5 + 3 + 5 + 3 * FRAME_OVERHEAD_BYTES
    again.close()


def test_alarms_are_due_first_and_each_kind_in_order(tmp_path: Path):
    """What is held by the sender is passed over."""
    spool = opened(tmp_path / "spool.db")
    spool.write([frame(n, urgent=n in (4, 6)) for n in range(1, 8)], (), {})
    assert [one.id for one in spool.due(4, ())] == [4, 6, 1, 2]
    assert [one.id for one in spool.due(3, {4, 1})] == [6, 2, 3]
    spool.write((), [4, 6, 1, 99], {})
    assert [one.id for one in spool.due(10, ())] == [2, 3, 5, 7]
    assert spool.count == 4
    spool.close()


@pytest.mark.hazard("H-35")
def test_a_full_spool_keeps_alarms_longest():
    """The oldest telemetry goes first, then the oldest alarms, and it says how many."""
    spool = opened(None, max_frames=100)
    assert spool.write([frame(n, urgent=n <= 10) for n in range(1, 101)], (), {}) == 0
    assert spool.write([frame(101)], (), {}) == 6  # a few at once: room for a while
    assert [one.id for one in spool.all()] == [*range(1, 11), *range(17, 102)]
    assert spool.write([frame(n, urgent=True) for n in range(201, 300)], (), {}) == 99
    assert [one.id for one in spool.all()] == list(range(205, 300))
    spool.close()


def test_bytes_count_too():
    """A few large frames fill it as many small ones do."""
    spool = opened(None, max_bytes=1 << 20)
    assert spool.write([frame(n, body=bytes(100_000)) for n in range(1, 12)], (), {}) > 0
    assert spool.bytes <= 1 << 20
    spool.close()


def test_few_large_frames_make_room_for_one_and_not_for_all_that_it_may_hold():
    """Full by bytes long before it is full by frames, and of alarms alone: only the oldest few go."""
    spool = opened(None, max_bytes=1 << 20, max_frames=1_000_000)
    dropped = [spool.write([frame(n, urgent=True, body=bytes(4_000))], (), {}) for n in range(1, 300)]
    assert 0 < max(dropped) <= 20
    assert spool.full_percent >= 90
    assert next(spool.all()).id == sum(dropped) + 1
    spool.close()


def test_a_write_that_fails_changes_nothing(tmp_path: Path):
    """Neither the file nor the counts."""
    spool = opened(tmp_path / "spool.db")
    spool.write([frame(1)], (), {})
    with pytest.raises(SpoolFailed):
        spool.write([frame(2), frame(1)], (), {"x": "y"})
    assert (spool.count, [one.id for one in spool.all()]) == (1, [1])
    assert "x" not in spool.marks
    spool.write([frame(2)], (), {})
    assert spool.count == 2
    spool.close()


def test_one_bridge_a_spool(tmp_path: Path):
    """A second one is told so."""
    spool = opened(tmp_path / "spool.db")
    with pytest.raises(SpoolInUse, match="another bridge"):
        opened(tmp_path / "spool.db")
    spool.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\x00" + bytes(200)])
def test_a_damaged_file_is_refused_and_can_be_set_aside(tmp_path: Path, content: bytes):
    """It stays for whoever wants to look into it."""
    path = tmp_path / "spool.db"
    path.write_bytes(content)
    with pytest.raises(SpoolFailed):
        opened(path)
    assert set_aside(path).read_bytes() == content
    spool = opened(path)
    assert spool.count == 0
    spool.close()


def test_another_database_is_no_spool(tmp_path: Path):
    """Somebody's file is neither used nor changed."""
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(SpoolFailed, match="no spool"):
        opened(path)


def test_a_new_spool_numbers_under_a_new_name(tmp_path: Path):
    """A new card must not repeat the numbers of the old one."""
    first, second = opened(tmp_path / "a.db"), opened(tmp_path / "b.db")
    assert first.marks["boot"] != second.marks["boot"]
    first.close()
    second.close()
