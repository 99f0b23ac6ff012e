"""A pump that is asked tells all its alarms in every answer: what is set, and what is clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import twin
from gateway.core.state import Pump
from gateway.domain.readings import AlarmsClear
from gateway.domain.view import Facet
from gateway.domain.words import AlarmPhase, Condition
from tests.unit.core.world import World, alarm, minutes

ALL = (Condition.OCCLUSION, Condition.AIR_IN_LINE, Condition.BATTERY_LOW)


def answer(pump: Pump, minute: int, *active: Condition, seq: int | None = None) -> int:
    """One answer is taken in; returns the facets that it changed."""
    facets = 0
    for condition in active:
        change = alarm(minute, condition, AlarmPhase.CONTINUE, boot="b1", seq=seq)
        facets |= twin.change_alarm(pump, change, minutes(minute))
    return facets | twin.clear_alarms(pump, clear(minute, *active, seq=seq), minutes(minute))


def clear(minute: int, *active: Condition, seq: int | None = None) -> AlarmsClear:
    """All the others."""
    others = tuple(condition for condition in ALL if condition not in active)
    return AlarmsClear(observed_at=minutes(minute), boot="b1", seq=seq, conditions=others)


def standing(pump: Pump) -> set[Condition]:
    """Conditions that stand."""
    return {known.condition for known in pump.conditions.values() if known.active}


def test_what_is_clear_ends_and_what_was_clear_is_no_news():
    """An answer changes the conditions only where one begins or ends."""
    pump = Pump("s", "d")
    assert answer(pump, 1) == 0
    assert answer(pump, 2, Condition.OCCLUSION) == Facet.CONDITIONS
    assert answer(pump, 3) == Facet.CONDITIONS
    assert answer(pump, 4) == 0
    assert standing(pump) == set()


def test_each_return_is_a_start():
    """It tells no starts: what is set after it was clear has begun. What stays set has begun once."""
    pump = Pump("s", "d")
    for minute, active in enumerate([(), (Condition.OCCLUSION,), (Condition.OCCLUSION,), (), (Condition.OCCLUSION,)]):
        answer(pump, minute, *active)
    assert pump.starts == ((Condition.OCCLUSION, minutes(1)), (Condition.OCCLUSION, minutes(4)))


def test_a_continuation_after_an_end_that_was_told_is_none():
    """A pump that tells its starts is taken at its word: the start that is missing may come late, and counts then."""
    pump = Pump("s", "d")
    for minute, phase in enumerate([AlarmPhase.START, AlarmPhase.END, AlarmPhase.CONTINUE]):
        twin.change_alarm(pump, alarm(minute, Condition.OCCLUSION, phase), minutes(minute))
    assert pump.starts == ((Condition.OCCLUSION, minutes(0)),)


@pytest.mark.hazard("H-09")
@given(st.lists(st.sets(st.sampled_from(ALL)), min_size=1, max_size=8), st.data())
def test_the_newest_answer_counts_in_whatever_order_they_arrive(answers: list[set[Condition]], data: st.DataObject):
    """A bridge sends what is urgent first and what it saw before after it."""
    pump = Pump("s", "d")
    for number in data.draw(st.permutations(range(len(answers)))):
        answer(pump, number, *sorted(answers[number]), seq=number + 1)
    assert standing(pump) == answers[-1]


@pytest.mark.hazard("H-10")
def test_a_pump_that_is_asked_calls_for_an_alarm_that_keeps_returning():
    """Three times within the hour, although no start was ever told."""
    world = World()
    world.enrol()
    for minute in range(1, 30):
        active = (Condition.OCCLUSION,) if minute % 8 == 4 else ()
        world.report(minute)
        raised = [alarm(minute, one, AlarmPhase.CONTINUE) for one in active]
        world.hear(minute, *raised, clear(minute, *active))
    assert any(alert.rule == "alarm-recurrent" for alert in world.course().alerts.values())
