"""Which lines are read, and how: chosen, streamed, bounded by the journal's end."""

from dataclasses import replace

import pytest

from gateway.core.synthetic import SYNTHETIC
from gateway.domain.instants import MINUTE_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.audit import READ_AT_ONCE, Tally, audit
from gateway.runtime.audit_line import AuditLine, Wanted, What, line_id
from gateway.runtime.ports import Damaged, Kind, Record
from gateway.scenario.house import House
from tests.support.audited import NIGHT, entries, lived, told


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> House:
    """A stopped pump, taken, taken over, passed on, and running again."""
    return lived(tmp_path_factory.mktemp("night"), NIGHT)


def journal_of(records: list[Record]) -> MemoryJournal:
    """An empty journal that the records were appended to."""
    journal = MemoryJournal()
    journal._records = list(records)
    journal._last_seq = records[-1].seq
    return journal


async def lines_of(records: list[Record], wanted: Wanted, tally: Tally | None = None) -> list[AuditLine]:
    """The wanted lines of a journal with these records."""
    return [line async for line in audit(journal_of(records), wanted, tally)]


async def test_lines_can_be_chosen(night):
    """By person, by kind, by incident or its course, by time; the period's end and the line of `before` are not included."""
    records = night.journal
    everything = await lines_of(records, Wanted())
    assert {line.who for line in await lines_of(records, Wanted(who="charge-nurse"))} == {"charge-nurse"}
    assert {line.what for line in await lines_of(records, Wanted(what=frozenset({What.ACK})))} == {What.ACK}
    assert await lines_of(records, Wanted(incident="P-017@79")) == [line for line in everything if line.incident == "P-017@79"]
    assert {line.course for line in await lines_of(records, Wanted(course="P-017"))} == {"P-017"}
    ack = next(line for line in everything if line.what is What.ACK)
    period = await lines_of(records, Wanted(from_at=ack.at, until_at=ack.at + MINUTE_MS // 2))
    assert [line.text for line in period if line.what in (What.ACK, What.REPLY)] == [ack.text]
    assert (await lines_of(records, Wanted(before=(ack.seq, ack.number))))[-1] == everything[everything.index(ack) - 1]
    assert line_id(ack.id) == (ack.seq, ack.number)


async def test_the_gateways_own_test_is_left_out_and_counted(tmp_path):
    """Its lines are told when somebody asks for them."""
    more = "ward_patch: {synthetic: {pump: synthetic-1, page: ward-manager, within: 2m}}\n"
    steps = """
at: 0m, publish: {channel: alarm, json: {alarm: other, phase: start, priority: high}}, pump: synthetic-1
at: 10m, publish: {channel: alarm, json: {alarm: other, phase: end}}, pump: synthetic-1
"""
    records = lived(tmp_path, steps, more=more).journal
    tests = [line for line in told(records) if line.course == SYNTHETIC]
    assert tests
    assert {line.what for line in tests} == {What.TEST}
    tally = Tally()
    assert not [line for line in await lines_of(records, Wanted(), tally) if line.course == SYNTHETIC]
    assert tally.tests_left_out == len(tests)
    assert await lines_of(records, Wanted(what=frozenset({What.TEST}))) == tests
    assert await lines_of(records, Wanted(course=SYNTHETIC)) == tests


class EndlessJournal(MemoryJournal):
    """A very long journal of one pump's reports, made as it is read; counts the records handed out."""

    def __init__(self, head: list[Record], report: Record, length: int) -> None:
        super().__init__()
        self._head, self._report, self._length = head, report, length
        self.handed_out = 0

    async def last_seq(self) -> int:
        return self._length

    async def read(self, after: int, limit: int) -> list[Record | Damaged]:
        assert limit <= READ_AT_ONCE
        seqs = range(after + 1, min(after + limit, self._length) + 1)
        self.handed_out += len(seqs)
        first_at = self._head[-1].received_at
        return [
            self._head[s - 1] if s <= len(self._head) else replace(self._report, seq=s, received_at=first_at + s) for s in seqs
        ]


async def test_a_journal_is_read_in_pieces_as_lines_are_taken(night):
    """The first lines come before a million records were read, and the rest only when somebody goes on."""
    report = next(record for record in night.journal if record.kind is Kind.MESSAGE)
    journal = EndlessJournal(night.journal[:10], report, 1_000_000)
    lines = audit(journal, Wanted())
    assert "the gateway started" in (await anext(lines)).text
    assert journal.handed_out == READ_AT_ONCE
    await lines.aclose()


async def test_the_audit_ends_with_the_record_that_was_the_last_when_it_began(night):
    """A gateway that writes on does not keep it from ending; an end of the period ends the reading."""
    journal = journal_of(night.journal)
    lines = audit(journal, Wanted())
    first = await anext(lines)
    await journal.append(entries(night.journal[:1]))
    assert [first, *[line async for line in lines]] == told(night.journal)
    ack = next(line for line in told(night.journal) if line.what is What.ACK)
    endless = EndlessJournal(night.journal, night.journal[5], 1_000_000)
    assert [line async for line in audit(endless, Wanted(until_at=ack.at))][-1].seq < ack.seq
    assert endless.handed_out == READ_AT_ONCE
