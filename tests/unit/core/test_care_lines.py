"""What the board says of what people recorded: as of an instant, without what is over by then, without addresses."""

import pytest

from gateway.core.board import CourseLine, build_board, incident_lines
from gateway.core.care_lines import CALLS_SHOWN, SilenceLine
from gateway.core.silences import id_of
from gateway.domain.care import ChangeContacts, LogCall, OpenWindow, OrderBag, Seen, SilenceRules, StartBreak, WindowKind
from gateway.domain.commands import Enrol
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.ward import Contact
from tests.support.core_world import COURSE, PROTOCOL, PUMP, START_AT, World


def line(world: World, minute: float) -> CourseLine:
    """The course on the board of that minute."""
    (found,) = build_board(world.monitor.state, world.at(minute)).courses
    return found


def test_a_window_stands_on_the_board_until_its_end():
    """With who opened it; at its last instant it is over, whether or not anything was judged since."""
    world = World()
    assert world.does(10, OpenWindow(course=COURSE, kind=WindowKind.BAG_CHANGE, for_ms=30 * MINUTE_MS), who="nurse-b").ok
    open_ = line(world, 39)
    assert (open_.window, open_.window_until, open_.window_who) == ("bag-change", world.at(40), "nurse-b")
    over = line(world, 40)
    assert (over.window, over.window_until, over.window_who) == ("", None, "")


def test_a_silence_stands_on_the_board_under_the_id_of_its_record():
    """The id that a command's answer leads to is the one that ends it."""
    world = World()
    made = world.does(10, SilenceRules(course=COURSE, rules=("fever",), reason="known", for_ms=HOUR_MS), who="nurse-b")
    assert line(world, 69).silences == (SilenceLine(id_of(COURSE, made.seq), ("fever",), world.at(70), "nurse-b", "known"),)
    assert line(world, 70).silences == ()


def test_an_order_and_the_newest_calls_stand_there():
    """The newest call first, and no more than a nurse reads."""
    world = World()
    assert world.does(10, OrderBag(course=COURSE, bag="7-day", ready_at=world.at(0) + DAY_MS), who="nurse-b").ok
    for minute in range(CALLS_SHOWN + 2):
        assert world.does(20 + minute, LogCall(course=COURSE, called=f"call {minute}", seen=Seen.RUNNING, advice="wait")).ok
    told = line(world, 60)
    assert told.order is not None
    assert (told.order.bag, told.order.by, told.order.ready_at) == ("7-day", "nurse-b", START_AT + DAY_MS)
    assert [call.called for call in told.calls] == [f"call {minute}" for minute in (6, 5, 4, 3, 2)]
    assert (told.calls[0].who, told.calls[0].seen, told.calls[0].advice) == ("nurse", Seen.RUNNING, "wait")


def test_contacts_are_told_without_their_addresses():
    """The board is shown to whoever stands before the screen."""
    world = World()
    changed = ChangeContacts(
        course=COURSE, caregiver=(Contact("sms", "85290000009"),), ward_contact="2345 6789", travel_minutes=40
    )
    assert world.does(10, changed).ok
    told = line(world, 11)
    assert (told.caregiver, told.ward_contact, told.travel_minutes) == (("sms",), "2345 6789", 40)
    assert "85290000009" not in repr(told)


def test_dose_and_days_are_of_the_present_cycle_and_a_break_says_until_when():
    """Days of delivery as far as anybody knows, of as many as the protocol has; the override's reason stays visible."""
    world = World(enrol=False)
    asked = Enrol(
        course=COURSE,
        pump=PUMP,
        protocol=PROTOCOL.name,
        bag="7-day",
        checklist_complete=False,
        override_reason="transfer by night",
    )
    assert world.does(0, asked).ok
    world.runs(range(0, 721, 5))
    told = line(world, 720)
    assert (told.dose_mcg_per_day, told.planned_days, told.override_reason) == (9.0, PROTOCOL.infusion_days, "transfer by night")
    assert told.infusion_days == pytest.approx(0.5)
    assert (told.break_at, told.break_until) == (None, None)
    assert world.does(720, StartBreak(course=COURSE, reason="fever")).ok
    rests = line(world, 721)
    assert (rests.break_at, rests.break_until) == (world.at(720), world.at(720) + PROTOCOL.break_days * DAY_MS)


def test_an_incident_that_is_muted_tells_no_next_step():
    """No step is due while all of it is mute: the board promises nobody's page."""
    world = World()
    world.runs(range(30))
    assert world.does(30, SilenceRules(course=COURSE, reason="the nurse is there", for_ms=HOUR_MS)).ok
    world.hears(31, "alarm", alarm="air-in-line", phase="start", priority="high", stops_delivery=True)
    world.waits(60)
    (muted,) = incident_lines(world.monitor.state)
    assert all(alert.muted_by == "silence" for alert in muted.alerts)
    assert muted.next_step_at is None
    world.waits(91)
    (speaks,) = incident_lines(world.monitor.state)
    assert speaks.next_step_at is not None
