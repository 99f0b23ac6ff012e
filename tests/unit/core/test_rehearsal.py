"""Who would be paged: the real decisions on a made-up patient, and nothing of it stays."""

from gateway.core.rehearsal import rehearse
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import Condition, Priority
from gateway.runtime.snapshots import dump
from tests.support.core_world import PUMP, SITE, World


def test_it_says_who_and_after_how_long() -> None:
    """As the catalogue has it: an open door after 2 min, air after 10 min, a low battery on the board only."""
    state, at = World().monitor.state, World().at(5)
    told = {name: rehearse(state, "pump-new", name, at) for name in Condition}
    assert told[Condition.DOOR_OPEN].after_ms == 2 * MINUTE_MS
    assert told[Condition.AIR_IN_LINE].after_ms == 10 * MINUTE_MS
    assert told[Condition.DOOR_OPEN].people == (("nurse", "sms"),)
    assert (told[Condition.BATTERY_LOW].priority, told[Condition.BATTERY_LOW].people) == (Priority.LOW, ())
    assert {one.refused for one in told.values()} == {""}


def test_it_is_what_then_happens() -> None:
    """The same alarm on a real course is paged to the same people after the same time."""
    world = World()
    world.runs(range(10))
    foretold = rehearse(world.monitor.state, PUMP, Condition.AIR_IN_LINE, world.at(10))
    for minute in range(10, 22):
        phase = "start" if minute == 10 else "continue"
        world.hears(minute, "alarm", alarm="air-in-line", phase=phase)
        world.hears(minute, delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6)
    (at, page), *_ = world.pages
    assert (at - world.at(10), page.person, page.about) == (foretold.after_ms, foretold.people[0][0], foretold.rules)


def test_nothing_of_it_stays() -> None:
    """The living state is byte for byte what it was; no page left."""
    world = World()
    world.runs(range(3))
    keys = (f"pump:{SITE}/{PUMP}", "course:P-017", f"site:{SITE}", "desk:")
    before = [dump(world.monitor.state, key) for key in keys]
    rehearse(world.monitor.state, PUMP, Condition.FREE_FLOW, world.at(4))
    assert [dump(world.monitor.state, key) for key in keys] == before
    assert world.pages == []


def test_a_ward_without_a_protocol_says_so() -> None:
    """Nobody would be paged for anything."""
    world = World(enrol=False)
    world.monitor.state.protocols = {}
    assert "no protocol" in rehearse(world.monitor.state, PUMP, Condition.FREE_FLOW, world.at(4)).refused
