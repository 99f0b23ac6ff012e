"""What is learnt of a time when it is over: late words and volume change what they would have changed in time, no more."""

import pytest

from gateway.core import flows
from gateway.core.flows import STRETCHES_MAX
from gateway.core.state import Pump
from gateway.domain.view import Facet
from gateway.domain.words import NotDeliveringReason
from tests.unit.core.test_delivery import DELIVERING, INTERRUPTED, judged
from tests.unit.core.world import World, minutes, observation, stopped


def running(until: int = 60) -> World:
    """A 24-hour bag at 10 mL/h, and a report a minute."""
    world = World()
    world.enrol(bag="24-hour")
    world.runs(0, until)
    return world


def stretches(world: World) -> list[tuple[float, float]]:
    """(since, until) of each recorded interruption, in minutes."""
    found = [(one.since - minutes(0), one.until - minutes(0)) for one in world.course().delivery.interruptions]
    return sorted((since / 60_000, until / 60_000) for since, until in found)


@pytest.mark.hazard("H-06")
def test_a_stop_that_is_told_last_of_all_is_found():
    """The newest word came first and says that the pump runs; what it had kept tells of half an hour without delivery."""
    world = running()
    world.report(120)
    assert stretches(world) == []
    world.hear(120.1, observation(110), pump="p1")
    world.hear(120.2, stopped(80))
    world.hear(120.3, observation(79))
    assert judged(world)[0] is DELIVERING
    assert stretches(world) == [(80, 110)]
    assert world.course().delivery.interruptions[0].found
    assert world.course().delivery.interrupted_ms == 30 * 60_000


def test_a_word_of_delivery_parts_one_stop_into_two():
    """What was taken for one interruption from the last word before the silence on was two, and the second is the present one."""
    world = running()
    world.hear(120, stopped(120))
    assert judged(world)[:2] == (INTERRUPTED, 60)
    world.hear(120.1, stopped(70), observation(69), observation(90), observation(119))
    assert judged(world)[:2] == (INTERRUPTED, 120)
    assert stretches(world) == [(70, 90)]


def test_what_people_were_told_is_amended_without_a_second_page():
    """A stop that was paged while it lasted turns out to have been shorter: nobody is told that it was found."""
    world = running()
    for minute in range(61, 91):
        world.hear(minute, stopped(minute))
    world.report(91)
    assert stretches(world) == [(61, 91)]
    assert not world.course().delivery.interruptions[0].found
    world.hear(91.1, observation(60.5))
    assert stretches(world) == [(61, 91)]
    assert not any(one.found for one in world.course().delivery.interruptions)


@pytest.mark.parametrize("late", [False, True])
def test_a_brief_stop_stays_brief_in_every_order(late: bool):
    """Half a minute between two words of delivery is no interruption."""
    world = running()
    words = [observation(80), stopped(80.2), observation(80.7)]
    for word in [words[2], words[1], words[0]] if late else words:
        world.hear(90, word)
    assert stretches(world) == []


def test_volume_that_is_missing_is_counted_once_where_a_late_stop_explains_it():
    """The counter says that 30 of 60 minutes are missing; then the pump tells of 20 of them: 10 are left unexplained."""
    world = running(59)
    world.report(60, infused_ml=5.0, set_rate_ml_h=10.0)
    world.report(120, infused_ml=10.0, set_rate_ml_h=10.0)
    assert stretches(world) == [(90, 120)]
    world.hear(120.1, observation(100), stopped(80), observation(79))
    assert stretches(world) == [(80, 100), (110, 120)]
    assert world.course().delivery.interrupted_ms == 30 * 60_000


def test_volume_is_compared_over_the_whole_silence_whatever_was_kept_in_between():
    """The counter stands still in what a pump had kept that says it delivers: the time is missing in every order."""
    for order in (1, -1):
        world = running(59)
        world.report(60, infused_ml=5.0, set_rate_ml_h=10.0)
        kept = [observation(60 + n, infused_ml=min(10.0, 5 + n / 6), set_rate_ml_h=10.0) for n in range(1, 60)]
        for reading in kept[::order]:
            world.hear(119.9, reading)
        world.report(120, infused_ml=10.0, set_rate_ml_h=10.0)
        world.tick(121)
        assert world.course().delivery.interrupted_ms == 30 * 60_000


def test_silence_that_late_words_fill_is_not_unknown_any_more():
    """Nobody could vouch for the hour; then the pump's own words do, from the first of them on."""
    world = running()
    world.tick(119)
    world.report(120)
    assert world.course().delivery.unknown_ms == 60 * 60_000
    world.hear(120.1, observation(62))
    assert world.course().delivery.unknown_ms == 2 * 60_000


def test_stretches_have_a_limit_and_the_closest_neighbours_count_as_one():
    """A pump of which every other message is lost fills no memory, and its stop is still known."""
    pump = Pump("s", "d")
    assert flows.note(pump, 5, 1, "b", delivering=False, reason="user") == Facet.DELIVERY
    for number in range(2, 2 * STRETCHES_MAX):
        flows.note(pump, minutes(10 * number), 10_000 - 2 * number, "b", delivering=True)
        flows.note(pump, minutes(10 * number) - 1, 20_000 + 2 * number, "b", delivering=True)
        assert len(pump.flow.past) < STRETCHES_MAX
    assert pump.flow.delivering is True


def test_a_pump_that_numbers_nothing_is_judged_by_the_times_of_its_words():
    """Words a minute apart are neighbours: a running pump within one long stop makes it no shorter."""
    pump = Pump("s", "d")
    for minute in range(10):
        flows.note(pump, minutes(minute), 0, "", delivering=False, reason=NotDeliveringReason.USER)
    assert flows.note(pump, minutes(4.5), 0, "", delivering=True) == 0
    assert (pump.flow.since, pump.flow.past) == (minutes(0), ())
    flows.note(pump, minutes(10), 0, "", delivering=True)
    assert flows.stops(pump.flow) == [(minutes(0), minutes(10), NotDeliveringReason.USER, 0)]
