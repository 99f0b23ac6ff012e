"""Laws of the delivery judgement that hold for every story, however its messages are cut, repeated, delayed or shuffled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import delivery
from gateway.domain.care import OpenWindow, SilenceRules, WindowKind
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import DeliveryState, DeliveryStatus
from tests.support.core_world import START_AT, World

STARTED_MINUTE = 11  # after the start-up delay of the first bag
STATUSES = st.sampled_from([status.value for status in DeliveryStatus])
# (minutes since the last word, what the pump says)
STORIES = st.lists(st.tuples(st.integers(min_value=1, max_value=40), STATUSES), min_size=1, max_size=25)


def _told(story: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """(minute, status) of each word."""
    minute, told = 0, []
    for wait, status in story:
        minute += wait
        told.append((minute, status))
    return told


def _pump(world: World):
    return world.monitor.state.pumps["ward/p1"]


@pytest.mark.hazard("H-05")
@given(STORIES)
@settings(max_examples=60, deadline=None)
def test_unknown_is_never_shown_as_delivering(story) -> None:
    """A pump that says nothing beyond its promise, or said last that it stands, is not judged delivering."""
    world, last = World(), None
    for minute, status in _told(story):
        world.waits(minute)
        silent_for = minute if last is None else minute - last[0]
        state = world.course.delivery.state
        if silent_for > 3 * 40:
            assert state is not DeliveryState.DELIVERING
        if last is None:
            assert state is not DeliveryState.DELIVERING
        world.hears(minute, delivery_status=status)
        if status in ("not-delivering", "kvo"):
            assert world.course.delivery.state is not DeliveryState.DELIVERING
        last = (minute, status)
    world.waits(_told(story)[-1][0] + 200)
    assert world.course.delivery.state is not DeliveryState.DELIVERING


@given(STORIES)
@settings(max_examples=60, deadline=None)
def test_the_worst_is_never_less_than_the_current(story) -> None:
    """At every word and a while after it."""
    world = World()
    for minute, status in _told(story):
        for at in (minute, minute + 0.5):
            if at == minute:
                world.hears(minute, delivery_status=status)
            else:
                world.waits(at)
            now = world.at(at)
            assert delivery.worst_ms(world.course, _pump(world), now) >= delivery.current_ms(world.course, now) >= 0
            assert 0 <= delivery.infused_ms(world.course, now) <= now - START_AT


@given(STORIES, st.integers(min_value=0, max_value=90))
@settings(max_examples=60, deadline=None)
def test_an_interruption_never_starts_after_the_pumps_own_stop(story, late) -> None:
    """Whenever the word of the stop arrives, the judged onset is not later than the stop itself, nor before the course."""
    world, stopped = World(), None
    minute = 0
    for minute, status in _told(story):
        if minute >= STARTED_MINUTE:
            world.hears(minute, delivery_status=status)
            if status in ("not-delivering", "kvo"):
                stopped = stopped if stopped is not None else minute
            elif status == "delivering":
                stopped = None
        judged = world.course.delivery
        if stopped is not None and judged.state is DeliveryState.INTERRUPTED:
            assert START_AT <= judged.since <= world.at(stopped)
    if stopped is None:
        seen = minute + 11
        world.hears(seen + late, "event", seen=seen, event="delivery-stopped")
        assert world.course.delivery.state is DeliveryState.INTERRUPTED
        assert world.course.delivery.since <= world.at(seen)


@given(
    st.lists(st.integers(min_value=20, max_value=59), min_size=1, max_size=20), st.randoms(use_true_random=False), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_silence_and_volume_agree_in_every_order(minutes, shuffler, twice) -> None:
    """A backlog that shows delivery throughout leaves no interruption, however it is shuffled and repeated."""
    told = [*sorted(set(minutes)), 60]
    messages = [
        (minute, {"boot": "b1", "seq": minute, "delivery_status": "delivering", "infused_ml": minute / 100, "set_rate_ml_h": 0.6})
        for minute in told
    ]
    shuffled = [*messages, *(messages if twice else [])]
    shuffler.shuffle(shuffled)
    world = World()
    world.runs(range(15), infused=0.0)
    for minute, body in shuffled:
        world.hears(60, seen=minute, **body)
    world.waits(64)  # not silent again yet
    judged = world.course.delivery
    assert judged.state is DeliveryState.DELIVERING
    assert judged.interrupted_ms == 0
    assert judged.interruptions == []


@pytest.mark.hazard("H-06")
@given(st.integers(min_value=8, max_value=40), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_missing_volume_is_an_interruption_whatever_comes_after_it(stood, shuffler) -> None:
    """Volume that is missing over a silence is missing delivery; older words and repeats change nothing about it."""
    world = World()
    world.runs(range(15), infused=0.0)
    newest = {"boot": "", "delivery_status": "delivering", "infused_ml": (60 - stood) / 100, "set_rate_ml_h": 0.6}
    older = [(minute, {"infused_ml": 0.14}) for minute in range(15, 15 + stood)] + [(60, newest)]
    shuffler.shuffle(older)
    for minute, body in [(60, newest), *older]:
        world.hears(60, seen=minute, **body)
    world.waits(64)  # not silent again yet
    assert world.course.delivery.state is DeliveryState.DELIVERING
    assert abs(world.course.delivery.interrupted_ms - stood * MINUTE_MS) <= MINUTE_MS
    assert delivery.infused_ms(world.course, world.at(60)) == (60 - stood) * MINUTE_MS


@given(st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=40), STATUSES)
@settings(max_examples=60, deadline=None)
def test_priority_never_falls_while_the_interruption_grows(waits, status) -> None:
    """While the pump stands, whatever it says in between, the alert and its incident only ever rise."""
    world = World()
    world.runs(range(15))
    minute, rank = 15, -1
    world.hears(minute, delivery_status="not-delivering", not_delivering_reason="user")
    for wait in waits:
        minute += wait
        world.hears(minute, delivery_status="not-delivering" if status == "delivering" else status)
        incident = world.course.open.get("")
        if incident is not None:
            assert incident.peak.rank >= rank
            rank = incident.peak.rank
    assert world.course.delivery.since == world.at(15)


@pytest.mark.hazard("H-01")
@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["stop", "run", "window", "silence"])), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_nothing_high_stays_silent_for_ever(acts) -> None:
    """Whatever was muted for as long as it may be: a pump that stands in the end has paged somebody five hours later."""
    world = World()
    world.runs(range(15))
    minute = 15
    for wait, act in acts:
        minute += wait
        if act in ("stop", "run"):
            world.hears(minute, delivery_status="delivering" if act == "run" else "not-delivering")
        elif act == "window":
            world.does(minute, OpenWindow(course="P-017", kind=WindowKind.BAG_CHANGE, for_ms=60 * MINUTE_MS))
        else:
            world.does(minute, SilenceRules(course="P-017", reason="x", for_ms=240 * MINUTE_MS))
    world.hears(minute + 1, delivery_status="not-delivering", not_delivering_reason="user")
    before = len(world.pages)
    world.waits(minute + 302)
    assert len(world.pages) > before
