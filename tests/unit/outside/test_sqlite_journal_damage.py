"""A damaged journal: the smallest set of rows is given up, by name, and nothing crashes."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.outside.sqlite_reader import FINDINGS_MAX, UNREADABLE_MAX, Findings, records_after
from gateway.runtime.ports import Damaged, EffectKind, JournalFull, Kind, OutboxRow, Record, SendState
from tests.support.damage import flip_byte_of, hide_rows_on_page_of, ruin_page_of
from tests.support.journals import NO_LIMIT, ask, bodies, entry, seqs

RECORDS = 300


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A closed journal of 300 records on about 30 pages; every 50th is a configuration."""
    file = tmp_path / "journal.db"
    journal = SqliteJournal.open(file)
    kinds = [Kind.CONFIG if seq % 50 == 0 else Kind.MESSAGE for seq in range(1, RECORDS + 1)]
    await journal.append([entry(body_of(seq), kind=kind) for seq, kind in enumerate(kinds, 1)])
    await journal.commit("pipeline", RECORDS)
    await journal.close()
    return file


@pytest.fixture
async def damaged(path: Path) -> AsyncIterator[list[SqliteJournal]]:
    """A list for journals that are opened in the test; they are closed after it."""
    opened: list[SqliteJournal] = []
    yield opened
    for journal in opened:
        await journal.close()


def body_of(seq: int) -> bytes:
    """300 bytes that stand once in the file."""
    return b"<body of %d>" % seq + b"." * 300


def torn(found: Sequence[Record | Damaged]) -> list[int]:
    """Numbers of the damaged records."""
    return [item.seq for item in found if isinstance(item, Damaged)]


# ---- records -----------------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-42")
async def test_a_changed_body_is_told_by_number(path: Path, damaged: list[SqliteJournal]):
    """Somebody edits one body with another program: that record is damaged, its neighbours are read."""
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    await ask(journal, "UPDATE journal SET body = x'00' WHERE seq = 7")
    found = await journal.read(5, 3)
    assert [type(item) for item in found] == [Record, Damaged, Record]
    assert found[1] == Damaged(7, "its bytes do not match their checksum")
    assert journal.findings() == [("damaged-record", "record 7: its bytes do not match their checksum")]
    await journal.read(0, RECORDS)
    assert journal.findings() == []  # told once


@pytest.mark.parametrize(
    "change", ["received_at = 1", "kind = 'config'", "site = 'x'", "device = 'x'", "topic = 'x'", "crc32 = 1", "seq = 9000"]
)
async def test_every_column_is_covered(path: Path, damaged: list[SqliteJournal], change: str):
    """A change of any column of record 7 is noticed under its number, also of the number itself."""
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    await ask(journal, f"UPDATE journal SET {change} WHERE seq = 7")  # noqa: S608 — constants
    assert torn(await journal.read(0, RECORDS)) == [7]


@pytest.mark.parametrize("change", ["received_at = 'x'", "kind = 17", "topic = x'ff'", "body = 17", "crc32 = 'x'"])
async def test_a_column_of_another_type_is_damage(path: Path, damaged: list[SqliteJournal], change: str):
    """Bits that turn a number into text, or text into nonsense, do not crash the reader."""
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    await ask(journal, f"UPDATE journal SET {change} WHERE seq = 7")  # noqa: S608 — constants
    assert torn(await journal.read(0, RECORDS)) == [7]


async def test_a_flipped_bit_costs_one_record(path: Path, damaged: list[SqliteJournal]):
    """The disk returns a wrong byte without an error."""
    flip_byte_of(path, b"<body of 123>")
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read(0, RECORDS)
    assert torn(found) == [123]
    assert [item.seq for item in found] == list(range(1, RECORDS + 1))


@pytest.mark.hazard("H-42")
async def test_a_ruined_page_costs_its_own_records(path: Path, damaged: list[SqliteJournal]):
    """All records of one page are reported by number; every other one is read, and pages of the answer stay bounded."""
    ruin_page_of(path, b"<body of 123>")
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read(0, RECORDS)
    lost = torn(found)
    assert [item.seq for item in found] == list(range(1, RECORDS + 1))
    assert 123 in lost
    assert lost == list(range(lost[0], lost[-1] + 1))
    assert 2 <= len(lost) <= 13
    assert torn(await journal.read(lost[0] - 2, 3)) == lost[:2]
    assert await journal.append([entry(b"goes on")]) == RECORDS + 1


async def test_rows_that_vanish_are_missed(path: Path, damaged: list[SqliteJournal]):
    """A page that admits to fewer rows gives no error at all; the gap in the numbers gives it away."""
    hide_rows_on_page_of(path, b"<body of 123>", rows=2)
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read(0, RECORDS)
    assert [item.seq for item in found] == list(range(1, RECORDS + 1))
    lost = [item for item in found if isinstance(item, Damaged)]
    assert len(lost) == 2
    assert {item.detail for item in lost} == {"it is missing"}


async def test_the_last_page_is_ruined(path: Path, damaged: list[SqliteJournal]):
    """Nothing can be appended any more, which is said in words; what stands before it is read, up to where a cursor was."""
    ruin_page_of(path, b"<body of %d>" % RECORDS)
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read(0, 1_000)
    lost = torn(found)
    assert [item.seq for item in found] == list(range(1, RECORDS + 1))
    assert lost == list(range(lost[0], RECORDS + 1))
    with pytest.raises(JournalFull, match="the journal's file is damaged"):
        await journal.append([entry()])


async def test_damage_among_pruned_records_stays_small(path: Path, damaged: list[SqliteJournal]):
    """Between configurations that outlived retention, only the ruined page is reported, not what was pruned elsewhere."""
    journal = SqliteJournal.open(path)
    await journal.prune(before_at=NO_LIMIT, max_bytes=NO_LIMIT, keep_after=200)
    await journal.close()
    ruin_page_of(path, b"<body of 260>")
    again = SqliteJournal.open(path)
    damaged.append(again)
    found = await again.read(0, RECORDS)
    assert [item.seq for item in found] == [50, 100, 150, *range(200, RECORDS + 1)]
    assert 2 <= len(torn(found)) <= 13


async def test_configuration_is_found_around_ruined_messages(path: Path, damaged: list[SqliteJournal]):
    """A ruined page of messages costs no configuration; a configuration on a ruined page is reported alone."""
    ruin_page_of(path, b"<body of 123>")
    ruin_page_of(path, b"<body of 250>")
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read_kinds([Kind.CONFIG], 0, RECORDS)
    assert [item.seq for item in found] == [50, 100, 150, 200, 250, 300]
    assert torn(found) == [250]


async def test_all_kinds_are_read_around_a_ruined_page(path: Path, damaged: list[SqliteJournal]):
    """With messages among the kinds, the numbers of the ruined page are reported within the bounds that were asked for."""
    ruin_page_of(path, b"<body of 123>")
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read_kinds(Kind, 100, 123)
    assert [item.seq for item in found] == list(range(101, 124))
    assert torn(found)[-1] == 123


async def test_a_ruined_index_by_kind_is_done_without(path: Path, damaged: list[SqliteJournal]):
    """The configuration is found number by number where the index cannot be read."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'journal_not_messages'").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4_096)
        file.write(b"\xff" * 64)
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    found = await journal.read_kinds([Kind.CONFIG], 0, RECORDS)
    assert [item.seq for item in found] == [50, 100, 150, 200, 250, 300]


class FailingDisk:
    """A connection whose disk fails for all records from `bad_from` on, whoever asks, after it knew the number of records."""

    def __init__(self, connection: sqlite3.Connection, *, bad: range) -> None:
        self._connection = connection
        self._bad = bad

    def execute(self, query: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        """As the connection does, unless it would touch a bad record."""
        if "WHERE seq > ? ORDER BY" in query or ("WHERE seq = ?" in query and values[0] in self._bad):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
            raise error
        return self._connection.execute(query, values)


def test_a_bad_spot_costs_its_records_and_a_disk_that_is_away_costs_none(path: Path):
    """Ten unreadable records in a row are given up; hundreds are not: the disk may be back in a minute."""
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    found = records_after(FailingDisk(connection, bad=range(20, 30)), 0, RECORDS)  # type: ignore[arg-type]
    assert torn(found) == list(range(20, 30))
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        records_after(FailingDisk(connection, bad=range(20, 21 + UNREADABLE_MAX)), 0, RECORDS)  # type: ignore[arg-type]
    connection.close()


def test_findings_are_bounded():
    """A journal of nothing but damage fills no memory: the first thousand tell the story."""
    findings = Findings()
    for n in range(FINDINGS_MAX + 50):
        findings.add("damaged-record", f"record {n}")
    assert len(findings.take()) == FINDINGS_MAX
    assert findings.take() == []


# ---- the outbox, cursors and snapshots ---------------------------------------------------------------------------------


async def test_a_damaged_effect_is_told_and_takes_nobodys_place(damaged: list[SqliteJournal], tmp_path: Path):
    """A page whose text changed on the disk is never sent, and the next sound one comes in its stead."""
    journal = SqliteJournal.open(tmp_path / "new.db")
    damaged.append(journal)
    await journal.commit("pipeline", 1, [OutboxRow(f"k{n}", EffectKind.PAGE, n, b"text") for n in range(4)])
    await ask(journal, "UPDATE outbox SET body = 'other' WHERE key = 'k0'")
    await ask(journal, "UPDATE outbox SET planned_at = 'x' WHERE key = 'k1'")
    for _ in range(2):
        assert [row.key for row in await journal.outbox(EffectKind.PAGE, SendState, 1)] == ["k2"]
        assert [row.key for row in await journal.outbox(EffectKind.PAGE, SendState, 9)] == ["k2", "k3"]
    assert journal.findings() == [
        ("damaged-outbox", "row 1 does not match its checksum and is not sent"),
        ("damaged-outbox", "row 2: its columns cannot be read; it is not sent"),
    ]


async def test_a_ruined_page_of_the_outbox_costs_its_own_rows(damaged: list[SqliteJournal], tmp_path: Path):
    """Effects before and after the ruined page are still sent, oldest plan first."""
    file = tmp_path / "new.db"
    journal = SqliteJournal.open(file)
    rows = [OutboxRow(f"k{n}", EffectKind.PAGE, 1_000 - n, b"<page %d>" % n + b"." * 300) for n in range(200)]
    await journal.commit("pipeline", 1, rows)
    await journal.mark("k199", SendState.DONE, 1)
    await journal.close()
    ruin_page_of(file, b"<page 77>")
    again = SqliteJournal.open(file)
    damaged.append(again)
    found = [row.key for row in await again.outbox(EffectKind.PAGE, [SendState.PLANNED, SendState.SENDING], 500)]
    lost = {f"k{n}" for n in range(199)} - set(found)
    assert "k77" in lost
    assert len(lost) <= 13
    assert found == [f"k{n}" for n in range(198, -1, -1) if f"k{n}" not in lost]
    assert "part of the outbox cannot be read: the journal's file is damaged" in again.findings()[0][1]


async def test_a_damaged_cursor_starts_over(path: Path, damaged: list[SqliteJournal]):
    """A wrong position could skip pages; from the beginning, keyed effects are planned once all the same."""
    journal = SqliteJournal.open(path)
    damaged.append(journal)
    await ask(journal, "UPDATE cursors SET seq = 9999")
    assert await journal.cursor("pipeline") == 0
    assert journal.findings() == [("damaged-cursor", "cursor pipeline: it does not match its checksum and starts again from 0")]
    await journal.commit("pipeline", 5)
    assert await journal.cursor("pipeline") == 5


@pytest.mark.hazard("H-42")
@pytest.mark.parametrize("change", ["body = 'other' WHERE name = 'P-1'", "name = 'P-9' WHERE name = 'P-1'", "body = 17"])
async def test_a_damaged_snapshot_is_not_used(damaged: list[SqliteJournal], tmp_path: Path, change: str):
    """One wrong cell: the whole is not to be trusted, and none of it shines through the next snapshot."""
    journal = SqliteJournal.open(tmp_path / "new.db")
    damaged.append(journal)
    await journal.stage_snapshot(5, {"P-1": b"one", "P-2": b"two"})
    await journal.complete_snapshot(5)
    await ask(journal, f"UPDATE snapshots SET {change}")  # noqa: S608 — constants
    assert await journal.load_snapshot() == (0, {})
    assert [name for name, _ in journal.findings()] == ["damaged-snapshot"]
    await journal.stage_snapshot(8, {"P-3": b"three"})
    await journal.complete_snapshot(8)
    assert await journal.load_snapshot() == (8, {"P-3": b"three"})


async def test_a_ruined_page_of_a_snapshot_is_not_used(damaged: list[SqliteJournal], tmp_path: Path):
    """A snapshot that cannot be read is no snapshot; the journal itself still serves."""
    file = tmp_path / "new.db"
    journal = SqliteJournal.open(file)
    await journal.append([entry(b"record")])
    await journal.stage_snapshot(1, {f"P-{n}": b"<cell %d>" % n + b"." * 500 for n in range(50)})
    await journal.complete_snapshot(1)
    await journal.close()
    ruin_page_of(file, b"<cell 25>")
    again = SqliteJournal.open(file)
    damaged.append(again)
    assert await again.load_snapshot() == (0, {})
    assert [name for name, _ in again.findings()] == ["damaged-snapshot"]
    assert (await seqs(again), await bodies(again)) == ([1], [b"record"])
