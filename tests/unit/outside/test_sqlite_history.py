"""Looking back in a journal that is being written: the right records, within bounds, and no harm to the writer."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.outside import sqlite_history
from gateway.outside.sqlite_history import SqliteHistory
from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.outside.sqlite_schema import SCHEMA_VERSION
from gateway.runtime.history import HistoryFailed, Message
from gateway.runtime.ports import Damaged, Entry, Kind

AT = 1_772_409_600_000


def entry(minute: float, device: str = "p1", channel: str = "telemetry", site: str = "w", **body) -> Entry:
    """A device's message, received and observed at this minute."""
    at = AT + round(minute * MINUTE_MS)
    text = json.dumps({"observed_at": at, **(body or {"rate_ml_h": 0.6})}).encode()
    return Entry(at, Kind.MESSAGE, site, device, f"dw/v1/{site}/{device}/{channel}", text)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    """An empty journal."""
    opened = SqliteJournal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


@pytest.fixture
async def history(tmp_path: Path, journal: SqliteJournal) -> AsyncIterator[SqliteHistory]:
    """Looks back in it."""
    reader = SqliteHistory(tmp_path / "journal.db")
    yield reader
    await reader.close()


def minutes(points) -> list[int]:
    """When the points are, in minutes."""
    return [(point.at - AT) // MINUTE_MS for point in points]


async def test_only_this_device_of_this_site_in_this_time(journal: SqliteJournal, history: SqliteHistory):
    """Other devices, another site's device of the same name, and other times are not told."""
    others = [entry(minute, "p2") for minute in range(5)] + [entry(2, site="elsewhere")]
    mine = [entry(minute) for minute in range(10)]
    await journal.append(sorted([*mine, *others], key=lambda one: one.received_at))
    told = await history.series("w", "p1", since=AT + 2 * MINUTE_MS, until=AT + 5 * MINUTE_MS)
    assert (minutes(told.points), told.whole) == ([2, 3, 4], True)
    assert (await history.series("w", "nobody", since=AT, until=AT + DAY_MS)).points == ()


async def test_of_a_week_of_telemetry_points_are_spread_and_no_alarm_is_lost(journal: SqliteJournal, history: SqliteHistory):
    """Thousands of messages become at most as many points as asked for, over all of the time; alarms are all there."""
    for start in range(0, 7 * 1440, 1440):
        await journal.append([entry(start + minute) for minute in range(1440)])
        await journal.append([entry(start + 1440, channel="alarm", alarm="air-in-line", phase="start")])
    told = await history.series("w", "p1", since=AT, until=AT + 7 * DAY_MS + 1, at_most=200)
    assert 100 <= len(told.points) <= 200
    assert minutes(told.points)[0] < 120
    assert minutes(told.points)[-1] > 7 * 1440 - 120
    assert len(told.happened) == 7
    assert all(later.at - earlier.at <= told.gap_ms for earlier, later in zip(told.points, told.points[1:], strict=False))


async def test_a_backlog_that_came_late_fills_its_gap(journal: SqliteJournal, history: SqliteHistory):
    """A catch-up of hundreds in one message, hours after it was measured, is found and drawn in its place."""
    backlog = [{"observed_at": AT + minute * MINUTE_MS, "rate_ml_h": 0.5} for minute in range(60, 180)]
    late = Entry(AT + 5 * HOUR_MS, Kind.MESSAGE, "w", "p1", "dw/v1/w/p1/telemetry", json.dumps(backlog).encode())
    await journal.append([*(entry(minute) for minute in range(60)), late])
    told = await history.series("w", "p1", since=AT, until=AT + 4 * HOUR_MS)
    assert minutes(told.points) == list(range(180))


async def test_too_much_is_cut_and_said(journal: SqliteJournal, history: SqliteHistory, monkeypatch: pytest.MonkeyPatch):
    """More alarms or bytes than are read: the newest are there, and the series says that it is not whole."""
    monkeypatch.setattr(sqlite_history, "OTHERS_MAX", 20)
    await journal.append([entry(minute, channel="event", event="locked") for minute in range(50)])
    told = await history.series("w", "p1", since=AT, until=AT + DAY_MS)
    assert (told.whole, (told.happened[-1].at - AT) // MINUTE_MS) == (False, 49)
    monkeypatch.setattr(sqlite_history, "OTHERS_MAX", 2_000)
    monkeypatch.setattr(sqlite_history, "BYTES_MAX", 500)
    assert not (await history.series("w", "p1", since=AT, until=AT + DAY_MS)).whole


async def test_raw_messages_come_page_by_page_the_newest_first(journal: SqliteJournal, history: SqliteHistory):
    """Each exactly once, with its bytes and what was decoded; refused ones with their reason."""
    await journal.append([entry(minute) for minute in range(7)])
    await journal.append([Entry(AT + HOUR_MS, Kind.MESSAGE, "w", "p1", "dw/v1/w/p1/telemetry", b"\xff nonsense")])
    seen, before = [], 0
    while True:
        told = await history.messages("w", "p1", since=AT, until=AT + DAY_MS, before=before, limit=3)
        seen += [each for each in told.found if isinstance(each, Message)]
        before = told.next_before
        if not before:
            break
    assert [each.record.seq for each in seen] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert seen[0].decoded.refused
    assert seen[1].decoded.readings


async def test_a_damaged_record_is_named_and_passed_over(journal: SqliteJournal, history: SqliteHistory, tmp_path: Path):
    """A flipped bit costs one point and no page."""
    await journal.append([entry(minute) for minute in range(5)])
    with sqlite3.connect(tmp_path / "journal.db") as other:
        other.execute("UPDATE journal SET body = x'7b7d' WHERE seq = 3")
    other.close()
    assert minutes((await history.series("w", "p1", since=AT, until=AT + HOUR_MS)).points) == [0, 1, 3, 4]
    told = await history.messages("w", "p1", since=AT, until=AT + HOUR_MS)
    assert [type(each) for each in told.found] == [Message, Message, Damaged, Message, Message]


async def test_what_was_pruned_is_simply_not_there(journal: SqliteJournal, history: SqliteHistory):
    """Times before the oldest kept record are empty, and later ones are found among numbers with holes."""
    await journal.append([entry(minute) for minute in range(100)])
    await journal.prune(before_at=AT + 50 * MINUTE_MS, max_bytes=10**12, keep_after=100)
    told = await history.series("w", "p1", since=AT, until=AT + 60 * MINUTE_MS)
    assert minutes(told.points) == list(range(50, 60))
    assert (await history.series("w", "p1", since=AT, until=AT)).points == ()


async def test_an_empty_journal_and_times_of_another_age(journal: SqliteJournal, history: SqliteHistory):
    """Nothing to tell is no error; a span that is too long, or ends before it begins, is one."""
    assert (await history.series("w", "p1", since=AT, until=AT + DAY_MS)).points == ()
    assert (await history.messages("w", "p1", since=AT, until=AT + DAY_MS)).found == ()
    for since, until in [(AT, AT - 1), (0, AT)]:
        with pytest.raises(HistoryFailed, match="31 days"):
            await history.series("w", "p1", since=since, until=until)


async def test_many_who_ask_at_once_are_told_to_come_again(journal: SqliteJournal, history: SqliteHistory):
    """Waiting is bounded: those beyond it get an answer at once, the others theirs."""
    await journal.append([entry(minute) for minute in range(100)])
    asked = [history.series("w", "p1", since=AT, until=AT + HOUR_MS) for _ in range(sqlite_history.ASKING_MAX + 3)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, HistoryFailed) for each in told) == 3
    assert (await history.series("w", "p1", since=AT, until=AT + HOUR_MS)).points


async def test_a_reading_that_takes_too_long_is_broken_off(journal: SqliteJournal, tmp_path: Path, monkeypatch):
    """And the next reader is served."""
    await journal.append([entry(minute) for minute in range(10)])
    slow = SqliteHistory(tmp_path / "journal.db", read_s=0.05)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    quick = sqlite_history._COUNT
    monkeypatch.setattr(sqlite_history, "_COUNT", endless)
    with pytest.raises(HistoryFailed, match="shorter time"):
        await slow.series("w", "p1", since=AT, until=AT + HOUR_MS)
    monkeypatch.setattr(sqlite_history, "_COUNT", quick)
    patient = SqliteHistory(tmp_path / "journal.db")
    assert (await patient.series("w", "p1", since=AT, until=AT + HOUR_MS)).points
    await slow.close()
    await patient.close()


async def test_no_journal_is_no_crash(tmp_path: Path):
    """A file that is not there, or not ours, is said in words; closing what was never opened is harmless."""
    nowhere = SqliteHistory(tmp_path / "nothing.db")
    with pytest.raises(HistoryFailed, match="no journal"):
        await nowhere.series("w", "p1", since=AT, until=AT)
    await nowhere.close()


# ---- the index, and journals from before it ------------------------------------------------------------------------------


def make_old(path: Path) -> None:
    """Turn a journal into one of version 1: the same file without the index."""
    connection = sqlite3.connect(path)
    connection.executescript("DROP INDEX journal_by_device; PRAGMA user_version = 1;")
    connection.close()


async def test_a_journal_of_the_version_before_is_brought_forward(tmp_path: Path):
    """Its records stay as they are, and can be looked back at; opening it once more changes nothing."""
    path = tmp_path / "journal.db"
    old = SqliteJournal.open(path)
    await old.append([entry(minute) for minute in range(5)])
    await old.close()
    make_old(path)
    for _ in range(2):
        journal, history = SqliteJournal.open(path), SqliteHistory(path)
        assert len(await journal.read(0, 100)) == 5
        assert len((await history.series("w", "p1", since=AT, until=AT + HOUR_MS)).points) == 5
        await history.close()
        await journal.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()


async def test_a_journal_that_another_gateway_holds_is_left_as_it_is(tmp_path: Path):
    """Nobody brings a file forward under the feet of the program that has it open."""
    path = tmp_path / "journal.db"
    await SqliteJournal.open(path).close()
    make_old(path)
    # A lock of our own process would be given to us again, so another process holds it.
    lock = f"{path}.lock"
    program = f"import fcntl; f = open({lock!r}, 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    pipe = asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
    assert await holder.stdout.readline() == b"1\n"
    with pytest.raises(JournalRefused):
        SqliteJournal.open(path)
    holder.stdin.write(b"\n")
    await holder.communicate()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
    history = SqliteHistory(path)
    with pytest.raises(HistoryFailed, match="journal_by_device"):
        await history.series("w", "p1", since=AT, until=AT + HOUR_MS)
    await history.close()
