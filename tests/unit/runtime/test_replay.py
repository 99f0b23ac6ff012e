"""A journal told again: the same story, and what other rules would have made of it."""

import json
from typing import Any

import pytest

from gateway.domain.commands import Acknowledge, Note
from gateway.domain.effects import Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.ports import Entry, Kind
from gateway.runtime.replay import MOVED_AT_MOST_MS, SAME_MS, Difference, Paged, Replayed, compare, replay, with_protocol
from rules.loader import RulesError
from tests.support.forwarding import settle
from tests.support.histories import PROTOCOL, START_AT, protocol_texts, ward_text
from tests.support.runtime_world import World, alarm, message, page

TEXT = protocol_texts()[PROTOCOL]
LATER = TEXT.replace("hold: {high: 2m, medium: 10m", "hold: {high: 7m, medium: 10m")
SOONER = TEXT.replace("hold: {high: 2m, medium: 10m", "hold: {high: 30s, medium: 10m")
NEVER = TEXT.replace("hold: {high: 2m, medium: 10m", "hold: {high: 24h, medium: 10m")


def test_the_texts_differ():
    """The shipped protocol still has the hold that these tests change."""
    assert len({TEXT, LATER, SOONER, NEVER}) == 4


# ---- comparing ----------------------------------------------------------------------------------------------------------


def paged(minute: float, person: str = "nurse-a", course: str = "P-1") -> Paged:
    """A page so many minutes into the story."""
    return Paged(START_AT + round(minute * MINUTE_MS), page(f"{course}@7/r1/{person}/0"))


def lines(differences: list[Difference]) -> list[tuple[str, float | None, float | None]]:
    """(kind, minute before, minute after)."""

    def minute(one: Paged | None) -> float | None:
        return None if one is None else (one.at - START_AT) / MINUTE_MS

    return [(d.kind, minute(d.before), minute(d.after)) for d in differences]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], []),
        ([10], [10], []),
        ([10], [10.9], []),
        ([10], [], [("gone", 10, None)]),
        ([], [10], [("new", None, 10)]),
        ([10], [15], [("later", 10, 15)]),
        ([15], [10], [("earlier", 15, 10)]),
        ([10, 40], [40], [("gone", 10, None)]),
        ([40], [10, 40], [("new", None, 10)]),
        ([10, 20, 30], [20, 30, 40], [("later", 10, 40)]),
        ([10, 20], [12, 60], [("later", 10, 12), ("later", 20, 60)]),
        ([10], [10 + 5 * 60], [("gone", 10, None), ("new", None, 310)]),
        ([10, 10], [10], [("gone", 10, None)]),
    ],
)
def test_what_changed(before: list[float], after: list[float], expected: list[tuple[str, float | None, float | None]]):
    """Pages at the same time are no difference; then the first goes with the first; the rest is gone, or new."""
    assert lines(compare([paged(minute) for minute in before], [paged(minute) for minute in after])) == expected


def test_pages_of_others_are_no_counterparts():
    """Another person or another course is another page."""
    differences = compare([paged(10), paged(20, course="P-2")], [paged(10, person="charge"), paged(20)])
    assert lines(differences) == [("later", 10, 20), ("new", None, 10), ("gone", 20, None)]


def test_the_limits_of_sameness():
    """A minute apart is the same time; incidents that begin four hours apart may still be the same one."""
    start = paged(0)
    assert compare([start], [Paged(start.at + SAME_MS, start.page)]) == []
    moved = Paged(start.at + MOVED_AT_MOST_MS, start.page)
    assert [d.kind for d in compare([start], [moved])] == ["later"]
    assert [d.kind for d in compare([start], [Paged(moved.at + 1, start.page)])] == ["gone", "new"]


def test_differences_stand_in_order_of_time():
    """One reads them as the day went."""
    differences = compare([paged(30), paged(5, "charge")], [paged(20, course="P-2")])
    assert [difference.at for difference in differences] == sorted(difference.at for difference in differences)


# ---- telling again --------------------------------------------------------------------------------------------------------


class Ward(World):
    """The shipped rules, unchanged by the ward."""

    @property
    def text(self) -> str:
        """No overrides but the ones of the test."""
        self.ward = {"rules": {}, **self.ward}
        return super().text


async def minutes(world: World, count: int) -> None:
    """The pump reports every minute that it delivers."""
    for _ in range(count):
        await world.clock.move(MINUTE_MS)
        world.source.say(message("pump-1", "telemetry", observed_at=world.clock.now(), delivery_status="delivering"))
        await settle()


async def a_day(world: World, **acts: Any) -> None:
    """An alarm at minute 0 that ends after 30 min; `acts`: whether a person takes the incident, by key or by reply."""
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        await minutes(world, 3)
        if acts.get("ack"):
            (line,) = gateway.incidents()
            await gateway.command("nurse-a", Acknowledge(incident=line.key, for_ms=HOUR_MS))
            await gateway.command("nurse-a", Note(incident=line.key, text="on my way"))
        if acts.get("reply"):
            await gateway.reply("sms", "8521", gateway.pages()[0].page.code)
        await minutes(world, 27)
        world.source.say(alarm("pump-1", world.clock.now(), phase="end"))
        await minutes(world, 5)


def to(told: Replayed) -> list[tuple[str, str, Instant]]:
    """(person, why, minute) of each page."""
    return [(p.page.person, p.page.why.value, (p.at - START_AT) // MINUTE_MS) for p in told.paged()]


async def test_a_replay_tells_what_was_paged():
    """The pages of the outbox, in order, with their texts."""
    world = Ward()
    await a_day(world)
    told = await replay(world.journal)
    assert told.records == await world.journal.last_seq()
    assert told.damaged == []
    assert {p.page.key for p in told.paged()} == {row.key for row in await world.pages()}
    assert to(told)[0] == ("nurse-a", "opened", 2)


async def test_nothing_changes_with_the_same_rules():
    """The protocol that was in force gives no difference at all."""
    world = Ward()
    await a_day(world)
    before, after = await replay(world.journal), await replay(world.journal, with_protocol(TEXT, "same.yaml"))
    assert before.effects == after.effects
    assert compare(before.paged(), after.paged()) == []


@pytest.mark.hazard("H-65")
@pytest.mark.parametrize(("text", "kinds"), [(NEVER, {"gone"}), (LATER, {"later", "gone"}), (SOONER, {"earlier"})])
async def test_other_rules_on_the_same_day(text: str, kinds: set[str]):
    """A longer hold pages later, or nobody; a shorter one earlier."""
    world = Ward()
    await a_day(world)
    before, after = await replay(world.journal), await replay(world.journal, with_protocol(text, "new.yaml"))
    found = {difference.kind for difference in compare(before.paged(), after.paged())}
    assert found
    assert found <= kinds


@pytest.mark.parametrize("how", [{"ack": True}, {"reply": True}])
async def test_who_took_it_then_takes_it_in_the_other_story_too(how: dict[str, bool]):
    """The incident has another name and another code there; that somebody had it is true all the same."""
    world = Ward()
    await a_day(world, **how)
    before, after = await replay(world.journal), await replay(world.journal, with_protocol(SOONER, "new.yaml"))
    assert to(before)[0] == ("nurse-a", "opened", 2)
    assert to(after)[0] == ("nurse-a", "opened", 0)
    keys = [{effect.incident for _, effect in told.effects if isinstance(effect, Page)} for told in (before, after)]
    assert keys[0] != keys[1]
    assert [why for _, why, _ in to(after)].count("unacknowledged") == 0


async def test_the_wards_own_overrides_hold_for_other_rules_too():
    """What the ward changed in its file is no difference between the protocols."""
    world = World()  # alarms page at once there, whatever the protocol says
    await a_day(world)
    before, after = await replay(world.journal), await replay(world.journal, with_protocol(NEVER, "new.yaml"))
    assert compare(before.paged(), after.paged()) == []


EXTENDS = f"""protocol: {PROTOCOL}
title: As before, but slower
extends: {{base}}
rules:
  - rule: alarm-persistent
    hold: {{{{high: 7m, medium: 10m, low: 60m}}}}
"""


@pytest.mark.parametrize("base", [PROTOCOL, "ours.yaml"])
async def test_a_protocol_may_say_only_what_it_does_otherwise(base: str):
    """It extends the one of its name, or a file beside it; the ward's journal needs neither."""
    world = Ward()
    await a_day(world)
    change = with_protocol(EXTENDS.format(base=base), "new.yaml", {PROTOCOL: TEXT, "ours.yaml": TEXT}.get)
    before, after = await replay(world.journal), await replay(world.journal, change)
    assert {difference.kind for difference in compare(before.paged(), after.paged())} <= {"later", "gone"}
    assert to(after)[0] == ("nurse-a", "opened", 7)


async def test_a_recorded_protocol_that_is_no_longer_understood_stops_no_replay():
    """A record of an older version is a finding in both stories; what can be read is told."""
    journal = MemoryJournal()
    body = {"ward": ward_text(), "protocols": {PROTOCOL: "protocol: [", "gone": "{}"}, "started": True}
    await journal.append([Entry(START_AT, Kind.CONFIG, "", "", "", json.dumps(body).encode())])
    told = await replay(journal, with_protocol(TEXT, "same.yaml"))
    assert told.records == 1
    assert "record 1 (config)" in told.fold.findings[0]


async def test_a_protocol_of_another_name_changes_nothing():
    """It replaces none."""
    world = Ward()
    await a_day(world)
    other = with_protocol(NEVER.replace(f"protocol: {PROTOCOL}", "protocol: other"), "other.yaml")
    assert (await replay(world.journal, other)).effects == (await replay(world.journal)).effects


def test_rules_that_are_wrong_are_refused_before_anything_is_read():
    """The mistake is named."""
    with pytest.raises(RulesError):
        with_protocol("protocol: [", "wrong.yaml")


async def test_what_cannot_be_read_is_a_finding():
    """A record of another version, a damaged one: said, and stepped over."""
    journal = MemoryJournal()
    await journal.append([Entry(START_AT, Kind.REPLY, "", "", "", b"not json")])
    told = await replay(journal)
    assert told.records == 1
    assert "record 1 (reply)" in told.fold.findings[0]


async def test_an_empty_journal_tells_nothing():
    """No records, no pages."""
    told = await replay(MemoryJournal(), with_protocol(TEXT, "same.yaml"))
    assert (told.records, told.paged(), told.effects) == (0, [], [])
