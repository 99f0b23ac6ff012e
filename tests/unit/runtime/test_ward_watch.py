"""A running gateway follows its calendar files, and keeps what it had where they are wrong."""

import json
import logging
from pathlib import Path

import pytest

from gateway.config import calendars
from gateway.config.load import load_ward_file
from gateway.core.events import Loaded
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.ports import JournalFull, Kind
from gateway.runtime.records import event_of
from gateway.runtime.ward_watch import LOOK_EVERY_MS, WardWatch
from tests.support.forwarding import settle
from tests.support.histories import START_AT, WARD, protocol_texts
from tests.support.runtime_world import World

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;TZID=Asia/Hong_Kong:20260301T000000
DTEND;TZID=Asia/Hong_Kong:20260302T000000
RRULE:FREQ=DAILY
SUMMARY:nurse-a
END:VEVENT
END:VCALENDAR
"""


class Taker:
    """Stands for the gateway: keeps what it was told to take in, or refuses it."""

    def __init__(self) -> None:
        self.config_findings: tuple[str, ...] = ()
        self.taken: list[str] = []
        self.refusing = ""

    async def reload(self, ward: str, protocols: object) -> None:
        """Keep it."""
        if self.refusing:
            raise JournalFull(self.refusing)
        self.taken.append(ward)


@pytest.fixture
def ward_file(tmp_path: Path) -> Path:
    """A ward whose one schedule is a calendar's file; JSON is YAML."""
    file = tmp_path / "ward.yaml"
    content = {**WARD, "schedules": {"nurses": {"ical_file": "oncall.ics"}}}
    file.write_text(json.dumps(content))
    (tmp_path / "oncall.ics").write_text(CALENDAR)
    return file


def watching(ward_file: Path) -> tuple[WardWatch, Taker]:
    """A watch over the ward file as it is now."""
    taker = Taker()
    return WardWatch(taker, World().clock, ward_file, load_ward_file(ward_file), protocol_texts()), taker


def write(ward_file: Path, text: str) -> None:
    """Another calendar, put in place as exporters do: written beside and renamed."""
    new = ward_file.with_name("new.ics")
    new.write_text(text)
    new.rename(ward_file.with_name("oncall.ics"))


async def test_a_calendar_that_did_not_change_is_left_alone(ward_file):
    """Nothing is taken in, nothing is said."""
    watch, taker = watching(ward_file)
    await watch.look()
    assert (taker.taken, taker.config_findings) == ([], ())


async def test_a_changed_calendar_is_taken_in_once(ward_file):
    """The new duties are in what the gateway was told, and the next look finds nothing new."""
    watch, taker = watching(ward_file)
    write(ward_file, CALENDAR.replace("SUMMARY:nurse-a", "SUMMARY:charge"))
    await watch.look()
    await watch.look()
    assert len(taker.taken) == 1
    assert "SUMMARY:charge" in taker.taken[0]


async def test_a_new_export_with_the_same_duties_is_no_change(ward_file):
    """Its time stamp decides nothing; no record is written for it."""
    watch, taker = watching(ward_file)
    write(ward_file, CALENDAR.replace("DTSTAMP:20260101", "DTSTAMP:20260202"))
    await watch.look()
    assert taker.taken == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CALENDAR.replace("SUMMARY:nurse-a", "SUMMARY:stranger"), "oncall.ics:9: schedules.nurses: unknown person 'stranger'"),
        ("BEGIN:VCALENDAR\n", "oncall.ics:1: schedules.nurses: the file breaks off inside VCALENDAR"),
        (None, "oncall.ics: no such file or directory"),
    ],
)
async def test_a_broken_calendar_keeps_the_old_duties_until_it_is_mended(ward_file, text, said, caplog):
    """Health and log name file and place; the mended file ends the finding."""
    watch, taker = watching(ward_file)
    if text is None:
        ward_file.with_name("oncall.ics").unlink()
    else:
        write(ward_file, text)
    with caplog.at_level(logging.ERROR):
        await watch.look()
    assert taker.taken == []
    assert said in taker.config_findings[0]
    assert said in caplog.text
    write(ward_file, CALENDAR)
    await watch.look()
    assert taker.config_findings == ()


async def test_a_ward_file_in_the_making_waits_for_its_signal(ward_file):
    """A changed calendar takes in the calendars only, over the ward as it was taken in last."""
    watch, taker = watching(ward_file)
    ward_file.write_text("site: half-writ")
    write(ward_file, CALENDAR.replace("SUMMARY:nurse-a", "SUMMARY:charge"))
    await watch.look()
    assert "SUMMARY:charge" in taker.taken[0]
    await watch.reload()
    assert len(taker.taken) == 1
    assert taker.config_findings[0].startswith("the ward file is wrong, the old one stays in force: ")


async def test_a_signal_takes_everything_in_and_ends_all_findings(ward_file):
    """Ward file and calendar, read anew."""
    watch, taker = watching(ward_file)
    write(ward_file, "")
    await watch.look()
    assert taker.config_findings
    write(ward_file, CALENDAR)
    await watch.reload()
    assert (len(taker.taken), taker.config_findings) == (1, ())


async def test_what_the_journal_could_not_keep_is_tried_again(ward_file):
    """A full disk forgets no change of duty."""
    watch, taker = watching(ward_file)
    write(ward_file, CALENDAR.replace("SUMMARY:nurse-a", "SUMMARY:charge"))
    taker.refusing = "no space left on the device"
    await watch.look()
    assert taker.taken == []
    taker.refusing = ""
    await watch.look()
    assert len(taker.taken) == 1


async def test_the_coming_day_is_unfolded_before_anybody_asks(ward_file, monkeypatch):
    """Who is on call is answered from memory: a page does not wait for a calendar's long history."""
    watch, _ = watching(ward_file)
    await watch.unfold()

    def fail(_text: str) -> None:
        raise AssertionError("unfolded once more")

    monkeypatch.setattr(calendars, "_query", fail)
    calendar = load_ward_file(ward_file).ward.schedules["nurses"].calendar
    assert [shift.person for shift in calendar.shifts(START_AT, START_AT + 1)] == ["nurse-a"]


async def test_a_running_gateway_pages_whom_the_new_calendar_names(ward_file):
    """Noticed within a minute; the record holds the calendar, and reads back without any file."""
    world = World(journal=MemoryJournal())
    world.ward = {"schedules": {"nurses": {"ical": CALENDAR}}}
    async with world.running() as gateway:
        watch = WardWatch(gateway, world.clock, ward_file, load_ward_file(ward_file), protocol_texts())
        write(ward_file, CALENDAR.replace("SUMMARY:nurse-a", "SUMMARY:charge"))
        await world.clock.move(LOOK_EVERY_MS)
        await watch.look()
        await settle()
        assert gateway.config_findings == ()
        write(ward_file, "")
        await watch.look()
        assert any("a calendar is wrong" in finding for finding in gateway.health().findings)
    configs = await world.journal.read_kinds([Kind.CONFIG], 0, await world.journal.last_seq())
    newest = event_of(configs[-1])
    assert isinstance(newest, Loaded)
    duty = newest.ward.schedules["nurses"].calendar.shifts(START_AT, START_AT + 1)
    assert [shift.person for shift in duty] == ["charge"]
