"""The report's figures on a short journal whose every event is known."""

import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.core.office_hours import is_off_hours
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.ports import Damaged, Entry, Record
from gateway.runtime.report import report
from gateway.runtime.report_figures import Cause, Report, Times, times_of
from gateway.runtime.report_ledger import Stretch
from gateway.scenario.runner import tell

START_AT = 1_772_409_600_000  # Monday 2026-03-02 08:00 in Hong Kong
WARD = Path(__file__).parents[2] / "ward.example.yaml"

# P-017 is stopped by hand for 30 min, gets a bag and has a fever; P-018's line is closed in the evening, and its diary is empty.
STORY = f"""
title: Two courses for thirteen hours
ward: {WARD}
steps:
  - {{at: 0m, enrol: {{course: P-017, pump: p1}}}}
  - {{at: 0m, enrol: {{course: P-018, pump: p2}}}}
  - {{at: 1h, pump: p1, stop: user}}
  - {{at: 1h12m, person: nurse-a, ack: P-017}}
  - {{at: 1h21m, person: nurse-a, ack: P-017}}
  - {{at: 1h30m, pump: p1, run: true}}
  - {{at: 5h, pump: p1, bag: 7-day}}
  - {{at: 5h10m, record: {{command: hang-bag, course: P-017, bag: 7-day}}}}
  - {{at: 6h, diary: {{course: P-017, temperature_c: 38.3}}}}
  - {{at: 6h5m, person: nurse-a, ack: P-017}}
  - {{at: 6h30m, diary: {{course: P-017, temperature_c: 37.3}}}}
  - {{at: 10h30m, pump: p2, alarm: occlusion-downstream}}
  - {{at: 10h33m, person: nurse-a, ack: P-018}}
  - {{at: 10h50m, pump: p2, clear: occlusion-downstream}}
  - {{at: 13h, expect: {{delivery: P-017, is: delivering, within: 0s}}}}
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> list[Record]:
    """The journal of the story."""
    file = tmp_path_factory.mktemp("story") / "story.yaml"
    file.write_text(STORY, encoding="utf-8")
    return tell(file).story.house.journal


async def counted(records: list[Record], from_at: int | None = None, until_at: int | None = None) -> Report:
    """The report of these records."""
    journal = MemoryJournal()
    entries = [Entry(r.received_at, r.kind, r.site, r.device, r.topic, r.body) for r in records]
    await journal.append(entries)
    return await report(journal, from_at, until_at)


async def test_the_whole_journal(records):
    """Every figure of the story, counted by hand."""
    told = await counted(records)
    assert (told.site, told.timezone) == ("haem-ward", "Asia/Hong_Kong")
    assert (told.from_at, told.until_at, told.journal_from_at) == (START_AT, START_AT + 13 * HOUR_MS, START_AT)
    assert told.patient_weeks == pytest.approx(2 * 13 / (7 * 24))
    assert told.infusion_days == pytest.approx((2 * 13 - 0.5 - 80 / 60) / 24)
    assert told.unknown_ms == 0
    assert told.bag_changes == 1
    assert told.interruptions == (
        Stretch("P-017", START_AT + HOUR_MS, START_AT + 90 * MINUTE_MS, "user", estimated=False, found=False, open=False),
        Stretch(
            "P-018",
            START_AT + 9 * HOUR_MS + 30 * MINUTE_MS,
            START_AT + 10 * HOUR_MS + 50 * MINUTE_MS,
            "occlusion-downstream",
            estimated=True,
            found=False,
            open=False,
        ),
    )
    assert told.interruption_ms == 110 * MINUTE_MS
    assert told.interruption_causes == (Cause("occlusion-downstream", 1, 80 * MINUTE_MS), Cause("user", 1, 30 * MINUTE_MS))


async def test_events_are_of_the_pump_and_of_the_hour(records):
    """The fever is no event of the pump; the occlusion came after 18:00."""
    told = await counted(records)
    assert (told.events, told.events_per_bag_change, told.off_hours_percent) == (2, 2.0, 50.0)
    assert told.event_causes == (Cause("delivery-interrupted", 2),)


async def test_pages_and_times(records):
    """Contacts count, resolutions do not; each incident counts once with its first acknowledgement."""
    told = await counted(records)
    assert (told.pages, told.ward_pages) == (6, 0)
    assert told.pages_per_patient_week == pytest.approx(6 / (2 * 13 / (7 * 24)))
    assert told.acked == Times(3, 2 * MINUTE_MS, 5 * MINUTE_MS)
    assert told.resolved == Times(3, 22 * MINUTE_MS, 32 * MINUTE_MS)
    assert told.never_acked == 0


async def test_the_diary(records):
    """One evening at 20:00 lies in the journal; one of two homes had written nothing that day."""
    told = await counted(records)
    assert (told.diary_days, told.diary_missed) == (2, 1)
    assert [(one.course, one.diary_days, one.diary_missed) for one in told.courses] == [("P-017", 1, 0), ("P-018", 1, 1)]


async def test_a_period_is_cut_out_of_the_journal(records):
    """What lies before and after does not count; a stretch is cut at the period's edges."""
    from_at, until_at = START_AT + 10 * HOUR_MS + 30 * MINUTE_MS, START_AT + 10 * HOUR_MS + 40 * MINUTE_MS
    told = await counted(records, from_at, until_at)
    assert (told.from_at, told.until_at) == (from_at, until_at)
    assert told.patient_weeks == pytest.approx(2 * 10 / (7 * 24 * 60))
    assert [(one.course, one.since, one.until, one.open) for one in told.interruptions] == [("P-018", from_at, until_at, True)]
    assert (told.bag_changes, told.events, told.events_per_bag_change) == (0, 1, None)
    assert (told.pages, told.acked.count, told.resolved) == (1, 1, Times(0, None, None))
    assert (told.diary_days, told.diary_missed) == (0, 0)


async def test_two_periods_make_the_whole(records):
    """Nothing is lost or counted twice at the edge between two periods."""
    edge_at = START_AT + 6 * HOUR_MS
    first, second, whole = (
        await counted(records, None, edge_at),
        await counted(records, edge_at, None),
        await counted(records),
    )
    assert first.infusion_days + second.infusion_days == pytest.approx(whole.infusion_days)
    for name in ("patient_weeks", "bag_changes", "interruption_ms", "events", "pages", "diary_days", "diary_missed"):
        assert getattr(first, name) + getattr(second, name) == pytest.approx(getattr(whole, name)), name


async def test_the_report_ends_with_the_journal(records):
    """A period that goes on beyond the last record counts what is known, and no day more."""
    told = await counted(records, START_AT - DAY_MS, START_AT + 30 * DAY_MS)
    assert (told.from_at, told.until_at) == (START_AT, START_AT + 13 * HOUR_MS)


async def test_an_empty_journal_has_no_figures():
    """Rates without a base are nothing, not zero."""
    told = await report(MemoryJournal(), None, None)
    assert told.courses == ()
    assert (told.pages_per_patient_week, told.events_per_bag_change, told.off_hours_percent) == (None, None, None)


async def test_damaged_and_unreadable_records_are_counted(records, monkeypatch):
    """What cannot be read is said, and the rest is counted all the same."""
    journal = MemoryJournal()
    broken = [replace(record, body=b"{") if record.seq == len(records) else record for record in records]
    await journal.append([Entry(r.received_at, r.kind, r.site, r.device, r.topic, r.body) for r in broken])
    read = journal.read

    async def reading(after: int, most: int):
        return [Damaged(3, "checksum") if record.seq == 3 else record for record in await read(after, most)]

    monkeypatch.setattr(journal, "read", reading)
    told = await report(journal, None, None)
    assert (told.damaged, len(told.courses)) == (1, 2)


@pytest.mark.parametrize(
    ("lengths", "times"),
    [
        ([], Times(0, None, None)),
        ([7], Times(1, 7, 7)),
        ([4, 2], Times(2, 3, 4)),
        ([3, 1, 2], Times(3, 2, 3)),
        (range(1, 21), Times(20, 10, 19)),
        (range(1, 101), Times(100, 50, 95)),
    ],
)
def test_median_and_95th_percentile(lengths, times):
    """The mean of the two middle ones, and the nearest rank."""
    assert times_of(lengths) == times


@pytest.mark.parametrize(
    ("offset", "off"),
    [("0h", False), ("-1m", True), ("9h59m", False), ("10h", True), ("96h", False), ("120h", True), ("144h", True)],
)
def test_off_hours(offset, off):
    """Monday to Friday from 08:00 to 18:00 are the hours."""
    number, unit = re.findall(r"(\d+)h", offset), re.findall(r"(\d+)m", offset)
    length_ms = int((number or ["0"])[0]) * HOUR_MS + int((unit or ["0"])[0]) * MINUTE_MS
    at = START_AT + (-length_ms if offset.startswith("-") else length_ms)
    assert is_off_hours(at, ZoneInfo("Asia/Hong_Kong")) is off
