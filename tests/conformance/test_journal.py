"""What every journal does with records, cursors and the outbox, on the file and in memory alike."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.runtime.ports import EffectKind, Entry, Journal, Kind, OutboxRow, Record, SendState
from tests.support.journals import SORTS, entry, open_journal, page

OPEN_STATES = (SendState.PLANNED, SendState.SENDING, SendState.AWAITING_RECEIPT)


@pytest.fixture(params=SORTS)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal of each sort."""
    opened = open_journal(request.param, tmp_path)
    yield opened
    await opened.close()


async def keys(journal: Journal, *states: SendState, kind: EffectKind = EffectKind.PAGE) -> list[str]:
    """Keys of the outbox rows in these states, in the order given."""
    return [row.key for row in await journal.outbox(kind, states, 100)]


# ---- records -----------------------------------------------------------------------------------------------------------


async def test_an_empty_journal_holds_nothing(journal: Journal):
    """Before the first record every question has its empty answer."""
    assert await journal.last_seq() == 0
    assert await journal.read(0, 10) == []
    assert await journal.read_kinds(Kind, 0, 10) == []
    assert await journal.cursor("influx") == 0
    assert await journal.outbox(EffectKind.PAGE, SendState, 10) == []
    assert await journal.load_snapshot() == (0, {})


async def test_a_record_comes_back_as_it_went_in(journal: Journal):
    """Every field of an entry is kept, under the number that append returned."""
    await journal.append([entry()])
    command = Entry(1_712_345_678_901, Kind.COMMAND, "north-2", "", "ack", "Schwester Ünal: 已確認".encode())
    assert await journal.append([command]) == 2
    assert await journal.read(1, 10) == [
        Record(2, 1_712_345_678_901, Kind.COMMAND, "north-2", "", "ack", command.body),
    ]


async def test_numbers_are_consecutive_within_and_between_appends(journal: Journal):
    """Appends of 3, 1 and 700 records take the numbers 1 to 704 in call order."""
    assert await journal.append([entry(b"a"), entry(b"b"), entry(b"c")]) == 1
    assert await journal.append([entry(b"d")]) == 4
    assert await journal.append([entry(b"%d" % n) for n in range(700)]) == 5
    records = await journal.read(0, 1_000)
    assert [record.seq for record in records] == list(range(1, 705))
    assert [record.body for record in records[:5]] == [b"a", b"b", b"c", b"d", b"0"]


async def test_appending_nothing_stores_nothing(journal: Journal):
    """An empty append says which number comes next and uses none."""
    await journal.append([entry()])
    assert await journal.append([]) == 2
    assert await journal.append([entry()]) == 2
    assert await journal.last_seq() == 2


async def test_read_goes_on_behind_a_number_up_to_a_limit(journal: Journal):
    """Readers page through the journal by the last number they have."""
    await journal.append([entry(b"%d" % n) for n in range(1, 11)])
    assert [record.seq for record in await journal.read(0, 4)] == [1, 2, 3, 4]
    assert [record.seq for record in await journal.read(8, 4)] == [9, 10]
    assert await journal.read(10, 4) == []
    assert await journal.read(0, 0) == []


async def test_read_kinds_takes_only_what_it_is_asked_for(journal: Journal):
    """Kinds are filtered; the lower bound is exclusive, the upper one inclusive, the order that of the journal."""
    order = [Kind.CONFIG, Kind.MESSAGE, Kind.COMMAND, Kind.CONFIG, Kind.REPLY, Kind.MESSAGE, Kind.CONFIG]
    await journal.append([entry(kind=kind) for kind in order])
    assert [record.seq for record in await journal.read_kinds([Kind.CONFIG, Kind.COMMAND], 0, 7)] == [1, 3, 4, 7]
    assert [record.seq for record in await journal.read_kinds([Kind.CONFIG, Kind.COMMAND], 1, 6)] == [3, 4]
    assert [record.seq for record in await journal.read_kinds(iter([Kind.MESSAGE, Kind.REPLY]), 0, 7)] == [2, 5, 6]
    assert await journal.read_kinds([], 0, 7) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(
    bodies=st.lists(st.binary(max_size=2_000), min_size=1, max_size=20),
    words=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
async def test_any_bytes_and_any_words_survive(journal: Journal, bodies: list[bytes], words: str):
    """Bodies are opaque bytes, the empty one included; names may hold any character."""
    entries = [Entry(7, Kind.MESSAGE, words, words, words, body) for body in bodies]
    first = await journal.append(entries)
    expected = [Record(first + n, 7, Kind.MESSAGE, words, words, words, body) for n, body in enumerate(bodies)]
    assert await journal.read(first - 1, len(bodies)) == expected


async def test_the_largest_body_survives(journal: Journal):
    """A payload of 256 KiB, the limit of the wire, comes back whole between two small ones."""
    largest = bytes(range(256)) * 1_024
    await journal.append([entry(b""), entry(largest), entry(b"\x00")])
    assert [record.body for record in await journal.read(0, 3)] == [b"", largest, b"\x00"]


# ---- cursors and the outbox --------------------------------------------------------------------------------------------


async def test_cursors_move_independently(journal: Journal):
    """Each reader of the journal has its own place."""
    await journal.commit("pipeline", 7)
    await journal.commit("influx", 3)
    await journal.commit("pipeline", 9)
    assert (await journal.cursor("pipeline"), await journal.cursor("influx"), await journal.cursor("x")) == (9, 3, 0)


async def test_a_plan_comes_back_as_it_went_in(journal: Journal):
    """Every field of an outbox row is kept."""
    rows = [
        OutboxRow("P-017@1/r1/nurse-a/0", EffectKind.PAGE, 5, b"\x00\xff", SendState.SENDING, 2),
        OutboxRow("point/1", EffectKind.POINT, 6, b""),
    ]
    await journal.commit("pipeline", 1, rows)
    assert await journal.outbox(EffectKind.PAGE, SendState, 10) == rows[:1]
    assert await journal.outbox(EffectKind.POINT, SendState, 10) == rows[1:]
    assert await journal.outbox(EffectKind.ANSWER, SendState, 10) == []


async def test_a_key_is_planned_once(journal: Journal):
    """Planning a key again changes nothing, not even a row that is done; its neighbours in the plan are inserted."""
    await journal.commit("pipeline", 1, [page("a")])
    await journal.mark("a", SendState.DONE, 1)
    await journal.commit("pipeline", 2, [OutboxRow("a", EffectKind.PAGE, 9, b"other"), page("b")])
    assert await journal.outbox(EffectKind.PAGE, [SendState.DONE], 10) == [
        OutboxRow("a", EffectKind.PAGE, 1_000, b"a", SendState.DONE, 1)
    ]
    assert await keys(journal, *OPEN_STATES) == ["b"]


async def test_the_oldest_plan_comes_first(journal: Journal):
    """Across states, rows come by time of planning, equal times in order of insertion, at most as many as asked for."""
    await journal.commit("pipeline", 1, [page("late", at=30), page("first", at=10), page("second", at=10), page("mid", at=20)])
    await journal.mark("mid", SendState.SENDING, 1)
    await journal.mark("first", SendState.AWAITING_RECEIPT, 1)
    assert await keys(journal, *OPEN_STATES) == ["first", "second", "mid", "late"]
    assert [row.key for row in await journal.outbox(EffectKind.PAGE, iter(OPEN_STATES), 2)] == ["first", "second"]


async def test_a_mark_moves_a_row_and_counts_its_attempts(journal: Journal):
    """A row is found under its new state only; marking what is gone does nothing."""
    await journal.commit("pipeline", 1, [page("a")])
    await journal.mark("a", SendState.SENDING, 3)
    await journal.mark("gone", SendState.SENDING, 1)
    assert await keys(journal, SendState.PLANNED) == []
    assert await journal.outbox(EffectKind.PAGE, [SendState.SENDING], 10) == [
        OutboxRow("a", EffectKind.PAGE, 1_000, b"a", SendState.SENDING, 3)
    ]


async def test_forgotten_rows_are_gone(journal: Journal):
    """Points that the store has leave the outbox; unknown keys do no harm."""
    await journal.commit("pipeline", 1, [OutboxRow(key, EffectKind.POINT, 1, b"") for key in "abc"])
    await journal.forget(["a", "c", "never-there"])
    assert await keys(journal, SendState.PLANNED, kind=EffectKind.POINT) == ["b"]


# ---- the end -----------------------------------------------------------------------------------------------------------


async def test_closing_twice_is_harmless_and_writing_afterwards_is_a_bug(journal: Journal):
    """A closed journal refuses loudly instead of losing quietly."""
    await journal.append([entry()])
    await journal.close()
    await journal.close()
    with pytest.raises(RuntimeError, match="closed"):
        await journal.append([entry()])
