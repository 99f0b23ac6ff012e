"""The keeper: numbers that are never used twice, durable before sent, and a disk that fails or hangs."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from gateway.bridge import keeper as keeping
from gateway.bridge.frames import Frame
from gateway.bridge.keeper import Keeper, SpoolLimits
from gateway.bridge.spool import Spool, SpoolFailed
from tests.support.bridge_parts import LIMITS, seen


def put(keeper: Keeper, count: int = 1, *, urgent: bool = False) -> list[Frame]:
    """Some frames."""
    return [keeper.put("pump-01", "raw/generic-json", b"{}", seen(), urgent=urgent) for _ in range(count)]


async def test_numbers_go_on_after_a_restart(tmp_path: Path):
    """Per device, under one name of the numbering; what was done is gone."""
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    first = put(keeper, 3)
    keeper.put("pump-02", "raw/generic-json", b"{}", seen())
    await keeper.commit()
    keeper.done((await keeper.take(1))[0])
    keeper.remember("clock", "k1 5")
    await keeper.close()
    again = Keeper(tmp_path / "s.db", LIMITS)
    assert again.waiting == 3
    assert again.recall("clock") == "k1 5"
    later = put(again)[0]
    assert (later.seq, later.boot, later.id) == (4, first[0].boot, 5)
    await again.close()


async def test_nothing_is_handed_out_before_it_is_durable(tmp_path: Path):
    """`take` waits for the commit; an urgent frame asks for one at once."""
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    put(keeper)
    taking = asyncio.create_task(keeper.take(10))
    await asyncio.sleep(0)
    assert not taking.done()
    running = asyncio.create_task(keeper.run())
    put(keeper, urgent=True)
    assert [frame.seq for frame in await taking] == [2, 1]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await keeper.close()


async def test_what_is_handed_back_comes_again_in_its_place(tmp_path: Path):
    """And what is under way is not handed out twice."""
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    put(keeper, 5)
    await keeper.commit()
    one, two = await keeper.take(2)
    keeper.hand_back(two)
    assert [frame.seq for frame in await keeper.take(2)] == [2, 3]
    keeper.done(one)
    assert keeper.waiting == 4
    await keeper.close()


@pytest.mark.hazard("H-35")
async def test_a_disk_that_fails_is_left_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the disk has is carried over, new frames are numbered under another name, and it is said."""
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    old = put(keeper, 2)
    await keeper.commit()
    fails_on(monkeypatch, keeper._spool, SpoolFailed("database or disk is full"))
    fresh = put(keeper, 2)
    await keeper.commit()
    taken = await keeper.take(10)
    assert [frame.seq for frame in taken] == [1, 2, 3, 4]
    assert [frame.boot for frame in taken[:2]] == [frame.boot for frame in old]
    assert taken[2].boot == taken[3].boot != fresh[0].boot
    assert put(keeper)[0].boot == taken[2].boot
    assert "disk is full" in keeper.findings["spool-broken"]
    await keeper.close()


async def test_a_disk_that_hangs_holds_up_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After its patience the keeper goes on without it."""
    monkeypatch.setattr(keeping, "DISK_PATIENCE_S", 0.05)
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    freed = threading.Event()
    monkeypatch.setattr(keeper._spool, "write", lambda *_: freed.wait(20) and 0)
    try:
        put(keeper, urgent=True)
        await keeper.commit()
        assert [frame.seq for frame in await keeper.take(10)] == [1]
        assert "does not answer" in keeper.findings["spool-broken"]
    finally:
        freed.set()
    await keeper.close()


async def test_a_disk_that_hangs_while_it_is_read_holds_up_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also when nobody has written: whoever waits for the lock of the file would wait for ever."""
    monkeypatch.setattr(keeping, "DISK_PATIENCE_S", 0.05)
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    boot = put(keeper)[0].boot
    await keeper.commit()
    freed = threading.Event()
    monkeypatch.setattr(keeper._spool, "due", lambda *_: freed.wait(20) and [])
    try:
        taking = asyncio.create_task(keeper.take(10))
        await asyncio.sleep(0)
        put(keeper, urgent=True)
        async with asyncio.timeout(10):
            await keeper.commit()
            (alarm,) = await taking
        assert (alarm.seq, alarm.urgent, alarm.boot != boot) == (2, True, True)
        assert "does not answer" in keeper.findings["spool-broken"]
    finally:
        freed.set()
    await keeper.close()


async def test_a_disk_that_fails_while_it_is_read_is_left_with_what_it_still_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A start anew would read the same page again: the keeper goes on in memory."""
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    put(keeper, 3)
    await keeper.commit()

    def fails(*_: object) -> list[Frame]:
        raise SpoolFailed("disk I/O error")

    monkeypatch.setattr(keeper._spool, "due", fails)
    put(keeper, urgent=True)
    assert [frame.seq for frame in await keeper.take(10)] == [4, 1, 2, 3]
    assert "disk I/O error" in keeper.findings["spool-broken"]
    await keeper.close()


async def test_memory_is_bounded_while_the_disk_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Frames without alarm become holes in the numbers; those with one are kept."""
    monkeypatch.setattr(keeping, "FRESH_MAX", 10)
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    put(keeper, 30)
    alarm = put(keeper, urgent=True)[0]
    await keeper.commit()
    assert [frame.seq for frame in await keeper.take(100)] == [alarm.seq, *range(1, 11)]
    assert (alarm.seq, keeper.dropped) == (31, 20)
    await keeper.close()


async def test_a_flood_does_not_fill_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """Of thousands of dropped frames the log is told whenever their number has doubled; the finding has it whole."""
    monkeypatch.setattr(keeping, "FRESH_MAX", 10)
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    put(keeper, 5_000)
    assert keeper.findings["spool-full"].startswith("the spool is full: 4990 frames were dropped")
    assert [record.args[0].split()[4] for record in caplog.records] == [str(2**power) for power in range(13)]
    await keeper.close()


async def test_a_full_spool_says_so_until_it_is_empty(tmp_path: Path):
    """By name, with the count, which outlives a restart."""
    small = SpoolLimits(max_bytes=1 << 20, max_frames=1_000, commit_ms=10_000)
    keeper = Keeper(tmp_path / "s.db", small)
    put(keeper, 1_200)
    await keeper.commit()
    assert "frames were dropped" in keeper.findings["spool-full"]
    dropped = keeper.dropped
    assert dropped == 1_200 - 950
    while keeper.waiting:
        for frame in await keeper.take(500):
            keeper.done(frame)
        await keeper.commit()
    assert "spool-full" not in keeper.findings
    await keeper.close()
    again = Keeper(tmp_path / "s.db", small)
    assert again.dropped == dropped
    await again.close()


async def test_a_damaged_spool_is_set_aside(tmp_path: Path):
    """The bridge starts all the same, and says where the old one is."""
    path = tmp_path / "s.db"
    path.write_bytes(b"rubbish" * 1_000)
    keeper = Keeper(path, LIMITS)
    assert "s.db.damaged" in keeper.findings["spool-damaged"]
    put(keeper)
    await keeper.commit()
    assert keeper.waiting == 1
    await keeper.close()


@pytest.mark.hazard("H-35")
async def test_a_start_without_a_disk_goes_on_in_memory(tmp_path: Path):
    """No folder can be made: what is read is sent all the same, and the status says that nothing is kept."""
    (tmp_path / "file").write_text("")
    keeper = Keeper(tmp_path / "file" / "s.db", LIMITS)
    assert "in memory only" in keeper.findings["spool-broken"]
    put(keeper, urgent=True)
    await keeper.commit()
    assert len(await keeper.take(10)) == 1
    await keeper.close()


@pytest.mark.hazard("H-35")
async def test_a_start_on_a_card_that_has_become_read_only_goes_on_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """So most cards end: the old file can be opened, but neither written nor moved."""

    def refuses(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    (tmp_path / "s.db").write_bytes(b"rubbish" * 1_000)
    monkeypatch.setattr(Path, "replace", refuses)
    monkeypatch.setattr(Path, "unlink", refuses)
    keeper = Keeper(tmp_path / "s.db", LIMITS)
    assert "Read-only file system" in keeper.findings["spool-broken"]
    put(keeper, urgent=True)
    await keeper.commit()
    assert len(await keeper.take(10)) == 1
    await keeper.close()


def fails_on(monkeypatch: pytest.MonkeyPatch, spool: Spool, error: Exception) -> None:
    """Let this spool's next writes fail."""

    def write(*_: object) -> int:
        raise error

    monkeypatch.setattr(spool, "write", write)
