"""Silences and windows: what they mute, what passes, and that their end is loud."""

import pytest

from gateway.domain.care import CloseWindow, EndSilence, OpenWindow, SilenceRules, WindowKind
from gateway.domain.commands import Acknowledge
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from tests.support.core_world import COURSE, World


def _stopped(world: World, minute: int) -> None:
    world.hears(minute, delivery_status="not-delivering", not_delivering_reason="user")


@pytest.mark.hazard("H-59")
@pytest.mark.parametrize(("stop", "paged"), [(29, [(39.0, "opened")]), (30, []), (31, [])])
def test_a_window_hides_only_what_began_inside_it(stop: int, paged: list[tuple[float, str]]) -> None:
    """The minute before, at, and after the opening."""
    world = World()
    world.runs(range(stop))
    _stopped(world, stop)
    world.does(30, OpenWindow(course=COURSE, kind=WindowKind.BAG_CHANGE, for_ms=HOUR_MS))
    world.waits(42)
    assert world.paged() == paged


def test_a_window_closed_by_hand_ends_loudly_at_once() -> None:
    """Closing it is its end."""
    world = World()
    world.runs(range(30))
    world.does(30, OpenWindow(course=COURSE, kind=WindowKind.HOSPITAL_VISIT, for_ms=5 * HOUR_MS))
    _stopped(world, 31)
    world.waits(60)
    assert world.paged() == []
    world.does(61, CloseWindow(course=COURSE))
    assert world.paged() == [(61.0, "silence-ended")]


def test_an_alert_that_nothing_mutes_speaks_beside_a_muted_one() -> None:
    """A silence of one rule leaves the others loud; its own end then pages once more without starting the steps again."""
    world = World()
    world.runs(range(30))
    silence = SilenceRules(course=COURSE, rules=("delivery-interrupted",), reason="x", for_ms=40 * MINUTE_MS)
    world.does(30, silence)
    _stopped(world, 31)
    world.waits(45)
    assert world.paged() == []
    world.hears(45, "alarm", alarm="system-fault", phase="start", priority="high", stops_delivery=True)
    world.waits(48)
    assert [minute for minute, _ in world.paged()] == [47.0]
    world.does(48, Acknowledge(incident=COURSE, for_ms=2 * HOUR_MS))
    world.waits(71)
    assert world.paged()[-1] == (70.0, "silence-ended")


def test_a_lease_that_covers_the_alert_outlives_the_silence() -> None:
    """The end of a silence is told although somebody has the incident, and takes it from nobody."""
    world = World()
    world.runs(range(30))
    _stopped(world, 30)
    world.waits(51)
    world.does(51, Acknowledge(incident=COURSE, for_ms=3 * HOUR_MS))
    world.does(52, SilenceRules(course=COURSE, reason="x", for_ms=HOUR_MS))
    world.waits(113)
    assert world.paged()[-1] == (112.0, "silence-ended")
    incident = world.course.open[""]
    assert incident.state.value == "acknowledged"


def test_a_silence_that_ended_before_its_alert_is_no_news() -> None:
    """Nothing fires, nothing is told; an alert that fires afterwards opens as ever."""
    world = World()
    world.runs(range(30))
    done = world.does(30, SilenceRules(course=COURSE, reason="x", for_ms=10 * MINUTE_MS))
    assert COURSE in done.message
    world.runs(range(31, 60))
    assert not world.does(60, EndSilence(silence=COURSE)).ok
    _stopped(world, 60)
    world.waits(71)
    assert world.paged() == [(70.0, "opened")]


def test_muted_alerts_are_remembered_with_their_end() -> None:
    """The incident's notes say until when they are mute, and by what."""
    world = World()
    world.runs(range(30))
    world.does(30, OpenWindow(course=COURSE, kind=WindowKind.BAG_CHANGE, until_at=world.at(80)))
    _stopped(world, 35)
    world.waits(50)
    incident = world.course.open[""]
    note = incident.alerts["delivery-interrupted"]
    assert (incident.muted, note.muted_by, note.muted_until) == (True, "window", world.at(80))
