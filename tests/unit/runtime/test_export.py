"""The export: what stands in it, and what never does."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from device_adapters.bcc_measures import CONDITIONS
from device_adapters.envelope import Sent, enveloped
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.commands import Acknowledge, AddDiary, Note, Once
from gateway.domain.instants import HOUR_MS
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.export import COLUMNS, PEOPLE_MAX, Chosen, Export, export
from gateway.runtime.ports import Damaged, Entry, Kind, Record
from gateway.runtime.records import command_entry, message_entry
from tests.support.bcc_encoder import answer, pump_items
from tests.support.histories import SITE, START_AT
from tests.support.lived_day import live, new_world

WORDS = ("Mrs Wong of 12 Nathan Road", "does not answer the door", "=cmd|' /C calc'!A0")


def in_words(at: int) -> list[Entry]:
    """What people and a pump wrote in words, and a request that came twice."""
    diary = AddDiary(course="P-101", temperature_c=38.4, symptom=WORDS[0], note=WORDS[1])
    return [
        command_entry("nurse-wong", diary, at),
        command_entry("nurse-wong", diary, at, once=Once("k", "d")),
        command_entry("nurse-wong", diary, at, once=Once("k", "d")),
        command_entry("nurse-wong", Note(incident="P-102", text=WORDS[1]), at),
        command_entry("nurse-wong", Acknowledge(incident="P-102"), at),
        command_entry("nurse-wong", Acknowledge(incident="P-999"), at),
        message_entry(
            f"dw/v1/{SITE}/pump-1/alarm",
            json.dumps(
                {
                    "observed_at": at,
                    "alarm": "other",
                    "phase": "start",
                    "priority": "high",
                    "text": WORDS[0],
                    "code": WORDS[2],
                }
            ).encode(),
            at,
        ),
        message_entry(
            f"dw/v1/{SITE}/pump-1/event",
            json.dumps({"observed_at": at, "event": "settings-changed", "setting": WORDS[1], "bag": WORDS[0]}).encode(),
            at,
        ),
        message_entry(f"dw/v1/{SITE}/pump-1/telemetry", WORDS[0].encode(), at),
        message_entry(
            f"dw/v1/{SITE}/pump-1/diary", json.dumps({"observed_at": at, "entry": "note", "text": WORDS[0]}).encode(), at
        ),
        message_entry("elsewhere/entirely", b"?", at),
    ]


@pytest.fixture(scope="module")
def lived() -> list[Record]:
    """The records of some hours of a ward in trouble, and words that people wrote."""

    async def told() -> list[Record]:
        world = new_world(MemoryJournal())
        await live(world, 3)
        await world.journal.append(in_words(world.clock.now()))
        return [record for record in await world.journal.read(0, 1_000_000) if isinstance(record, Record)]

    return asyncio.run(told())


def told_of(records: list[Record | Damaged]) -> list[dict[str, Any]]:
    """The lines of these records."""
    telling = Export()
    return [line for record in records for line in telling.hear(record)]


async def journal_of(records: list[Record]) -> MemoryJournal:
    """A journal with these records, numbered from 1 as they were."""
    journal = MemoryJournal()
    await journal.append([*records])  # type: ignore[list-item]  # a record has all that an entry has
    return journal


def test_everything_that_was_said_judged_and_paged_is_told(lived: list[Record]):
    """Each kind of line, with what belongs to it."""
    lines = told_of([*lived])
    kinds = Counter(line["kind"] for line in lines)
    assert set(kinds) >= {
        "observation",
        "alarm",
        "event",
        "diary",
        "delivery",
        "interruption",
        "incident",
        "page",
        "page-outcome",
        "care",
        "refused",
    }
    interruption = next(line for line in lines if line["kind"] == "interruption")
    assert interruption["until"] > interruption["since"]
    page = next(line for line in lines if line["kind"] == "page")
    assert page["page"].startswith(f"{page['incident']}/r1/{page['who']}/")
    taken = next(
        line for line in lines if line["kind"] == "incident" and line["what"] == "acknowledged" and line["course"] == "P-102"
    )
    assert taken["who"].startswith("person-")
    diary = [line for line in lines if line["kind"] == "diary" and "who" in line]
    assert [(line["course"], line["temperature_c"]) for line in diary] == [("P-101", 38.4)] * 2  # the repetition is not told
    alarm = [line for line in lines if line["kind"] == "alarm"][-1]
    assert (alarm["condition"], alarm["course"], alarm["pump"]) == ("other", "P-101", "pump-1")
    refused = [line for line in lines if line["kind"] == "refused"][-1]
    assert (refused["why"], refused["pump"]) == ("not-json", "pump-1")


def test_what_is_clear_is_told_condition_by_condition():
    """A column holds one condition: each that a polled pump tells as clear has a line, as if it had ended."""
    body = enveloped(Sent(START_AT, "b1", 1), answer(pump_items(alarms=[15])))
    lines = told_of([Record(1, START_AT, Kind.MESSAGE, SITE, "p1", f"dw/v1/{SITE}/p1/raw/bbraun-bcc", body)])
    phases = {line["condition"]: line["phase"] for line in lines if line["kind"] == "alarm"}
    assert phases.pop("air-in-line") == "continue"
    assert set(phases.values()) == {"end"}
    assert len(phases) == len({alarm.condition for alarm in CONDITIONS.values()}) - 1


@pytest.mark.hazard("H-71")
def test_nothing_that_could_name_anybody_is_told(lived: list[Record]):
    """No name, no address, no number, no word that a person or a pump wrote, no raw bytes; only columns that are known."""
    lines = told_of([*lived])
    text = json.dumps(lines, ensure_ascii=False)
    for private in (*WORDS, "nurse-", "wong", "8521", "8522", "@ward", "symptom"):
        assert private not in text, private
    assert {name for line in lines for name in line} <= set(COLUMNS)
    assert not [line for line in lines if line["course"] == SYNTHETIC]


async def test_a_course_and_a_period_can_be_chosen(lived: list[Record]):
    """By when a record was received; what came before is folded all the same, so that judgements are right."""
    journal = await journal_of(lived)
    from_at, until_at = START_AT + HOUR_MS, START_AT + 2 * HOUR_MS
    lines = [line async for line in export(journal, Chosen("P-102", from_at, until_at))]
    assert lines
    assert {line["course"] for line in lines} == {"P-102"}
    assert all(from_at <= line["at"] < until_at for line in lines)
    whole = [line async for line in export(journal, Chosen())]
    assert lines == [line for line in whole if line in lines]
    assert [line async for line in export(MemoryJournal(), Chosen())] == []


def test_what_is_missing_or_damaged_is_a_gap(lived: list[Record]):
    """Whoever reads on knows from where the judgements rest on less; nothing raises."""
    holed: list[Record | Damaged] = [*lived[:100], Damaged(lived[100].seq, "flipped"), *lived[200:300]]
    gaps = [line for line in told_of(holed) if line["kind"] == "gap"]
    assert [(line["gap_from"], line["gap_until"]) for line in gaps] == [
        (lived[100].seq, lived[100].seq),
        (lived[101].seq, lived[199].seq),
    ]


def test_people_are_numbered_up_to_a_limit():
    """Further ones are told together."""
    telling = Export()
    numbers = [telling._person(f"nurse-{number}") for number in range(PEOPLE_MAX + 2)]
    assert numbers[0] == telling._person("nurse-0") == "person-1"
    assert numbers[-2:] == ["person-other"] * 2


def test_rubbish_is_told_as_refused_or_not_at_all(lived: list[Record]):
    """A record that no version of ours wrote costs nothing."""
    odd = [
        replace(lived[0], seq=1, kind=kind, body=body)
        for kind in {record.kind for record in lived}
        for body in (b"", b"{}", b"[1]", b'{"key": "x", "outcome": "accepted"}', b"\xff\xfe")
    ]
    for record in odd:
        for line in told_of([record]):
            assert set(line) <= set(COLUMNS)
