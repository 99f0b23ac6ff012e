"""Commands about a treatment: what they change, what they refuse, and how they stand in the journal."""

import json

import pytest

from gateway.core import delivery
from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    Seen,
    Signed,
    SilenceRules,
    StartBreak,
    SwapPump,
    WindowKind,
)
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.ward import Contact
from gateway.domain.words import DeliveryState
from gateway.runtime.records import command_entry, command_from
from tests.support.core_world import COURSE, PROTOCOL, START_AT, World

DAY = 24 * 60
ITEMS = tuple(Signed(item=item, by="dr-x", at=START_AT) for item in PROTOCOL.checklist)
COMMANDS = (
    Enrol(
        course=COURSE,
        pump="p1",
        protocol="x",
        bag="7-day",
        caregiver=(Contact("sms", "1", 5),),
        checklist=ITEMS,
        travel_minutes=40,
    ),
    HangBag(course=COURSE, bag="7-day", prepared_at=START_AT, rate_ml_h=0.6),
    ChangeContacts(course=COURSE, caregiver=(Contact("sms", "1"),)),
    OrderBag(course=COURSE, bag="7-day", ready_at=START_AT),
    OpenWindow(course=COURSE, kind=WindowKind.BAG_CHANGE, for_ms=5),
    CloseWindow(course=COURSE),
    ChangeDose(course=COURSE, mcg_per_day=28),
    SwapPump(course=COURSE, pump="p2"),
    StartBreak(course=COURSE, reason="x"),
    NextCycle(course=COURSE, bag="7-day", pump="p2"),
    LogCall(course=COURSE, called="patient", seen=Seen.RUNNING),
    SilenceRules(course=COURSE, reason="x", rules=("fever",), until_at=START_AT),
    EndSilence(silence="P-017.s5"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_every_command_survives_the_journal(command) -> None:
    """What is written as a record reads back as the same command."""
    body = json.loads(command_entry("nurse", command, START_AT).body)
    assert command_from(body["verb"], body["args"]) == command


@pytest.mark.hazard("H-23")
def test_a_checklist_that_misses_an_item_is_refused_by_its_name() -> None:
    """Enrolment names what was not signed; a reason overrides, and the signed items are kept."""
    world = World(enrol=False)
    asked = {"course": COURSE, "pump": "p1", "protocol": PROTOCOL.name, "bag": "7-day"}
    refused = world.does(0, Enrol(**asked, checklist=ITEMS[:-1]))
    assert not refused.ok
    assert ITEMS[-1].item in refused.message
    assert world.does(0, Enrol(**asked, checklist=ITEMS[:-1], override_reason="signed on paper")).ok
    assert world.course.care.checklist == ITEMS[:-1]


@pytest.mark.hazard("H-12")
def test_a_bag_that_expires_before_its_change_says_so() -> None:
    """The shelf life counts from the preparation, and the answer warns of an expiry before the planned change."""
    world = World()
    shelf_ms = PROTOCOL.bags["7-day"].shelf_life_ms
    done = world.does(10, HangBag(course=COURSE, bag="7-day", prepared_at=world.at(10) - shelf_ms + DAY_MS))
    assert done.ok
    assert "EXPIRES before" in done.message
    assert world.course.bag.expires_at == world.at(10) + DAY_MS
    over = world.does(20, HangBag(course=COURSE, bag="7-day", prepared_at=world.at(20) - shelf_ms))
    assert not over.ok
    assert "expired" in over.message


@pytest.mark.hazard("H-16")
def test_the_second_dose_step_waits_for_its_infusion_days() -> None:
    """Seven delivered days open the step from 9 to 28; interrupted time does not count."""
    world = World()
    world.runs(range(0, 7 * DAY + 30, 4))
    world.hears(7 * DAY + 30, delivery_status="not-delivering", not_delivering_reason="user")
    assert world.does(7 * DAY + 31, ChangeDose(course=COURSE, mcg_per_day=28)).ok
    assert world.course.care.dose_mcg_per_day == 28
    late = World()
    late.runs(range(0, 6 * DAY, 4))
    late.hears(6 * DAY, delivery_status="not-delivering", not_delivering_reason="user")
    refused = late.does(7 * DAY + 31, ChangeDose(course=COURSE, mcg_per_day=28))
    assert "infused 6.0 of 7 days" in refused.message


def test_infusion_days_count_delivered_time_only() -> None:
    """Neither an interruption, nor unknown time, nor a hospital stay counts; a confirmed silence does."""
    world = World()
    world.runs(range(601), infused=0.0)
    world.hears(601, delivery_status="not-delivering", not_delivering_reason="user", infused_ml=6.01)
    world.runs(range(661, 700), infused=-0.6)
    world.runs(range(1000, 1010), infused=-0.6)
    world.waits(1010)
    infused_ms = delivery.infused_ms(world.course, world.at(1009))
    assert infused_ms == pytest.approx((1009 - 60) * MINUTE_MS, abs=2 * MINUTE_MS)


def test_a_cycle_ends_keeps_its_sums_and_the_next_begins_from_nothing() -> None:
    """The break frees the pump; the next cycle starts at the last dose step with a new judgement."""
    world = World()
    world.runs(range(0, 28 * DAY + 10, 4))
    done = world.does(28 * DAY + 10, StartBreak(course=COURSE))
    assert done.ok, done.message
    assert world.monitor.state.pumps["ward/p1"].course == ""
    world.waits(28 * DAY + 11)
    assert world.course.delivery.state is DeliveryState.NOT_EXPECTED
    early = world.does(40 * DAY, NextCycle(course=COURSE, bag="7-day"))
    assert not early.ok
    assert world.does(42 * DAY + 10, NextCycle(course=COURSE, bag="7-day")).ok
    assert world.course.cycle == 2
    assert world.course.care.dose_mcg_per_day == PROTOCOL.dose_steps[-1].mcg_per_day
    assert world.course.care.cycles[0].infused_ms == pytest.approx(28 * DAY_MS, abs=HOUR_MS)
    assert delivery.infusion_days(world.course, world.at(42 * DAY + 10)) == 0


def test_an_ended_course_takes_no_more_entries() -> None:
    """Every entry on it says that it ended."""
    world = World()
    world.does(10, EndCourse(course=COURSE))
    for command in COMMANDS:
        if isinstance(command, Enrol | EndSilence):
            continue
        refused = world.does(20, command)
        assert not refused.ok
        assert "ended at" in refused.message


@pytest.mark.hazard("H-59")
def test_silences_have_limits() -> None:
    """A reason, one end, at most seven days, at most twenty at once; a firing high alert at most four hours."""
    world = World()
    world.runs(range(30))
    ask = {"course": COURSE, "reason": "x"}
    assert "7 d" in world.does(30, SilenceRules(**ask, for_ms=7 * DAY_MS + 1)).message
    assert "one of the two" in world.does(30, SilenceRules(**ask, for_ms=1, until_at=world.at(90))).message
    world.hears(30, "alarm", alarm="system-fault", phase="start", priority="high")
    world.waits(33)
    assert "4 h" in world.does(33, SilenceRules(**ask, for_ms=4 * HOUR_MS + 1)).message
    assert world.does(33, SilenceRules(**ask, for_ms=4 * HOUR_MS)).ok
    for _ in range(19):
        assert world.does(34, SilenceRules(**ask, for_ms=HOUR_MS)).ok
    assert "20 silences" in world.does(34, SilenceRules(**ask, for_ms=HOUR_MS)).message


def test_a_bag_that_nurse_and_pump_report_is_one_bag() -> None:
    """Whoever speaks first within a quarter of an hour, the bag hangs since that time, with what the nurse read."""
    world = World()
    world.runs(range(60))
    world.hears(60, "event", event="bag-changed", bag_ml=110)
    world.does(65, HangBag(course=COURSE, bag="7-day", primed_ml=9))
    assert (world.course.bag.hung_at, world.course.bag.primed_ml) == (world.at(60), 9)
    world.does(200, HangBag(course=COURSE, bag="48-hour"))
    world.hears(203, "event", event="bag-changed", bag_ml=110)
    assert (world.course.bag.kind, world.course.bag.hung_at) == ("48-hour", world.at(200))
