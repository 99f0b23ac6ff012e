"""What the auditor looks for: read from the state, and never there after a step."""

import pytest

from gateway.core import overdue
from tests.support.histories import History
from tests.unit.core.world import in_trouble, minutes


@pytest.mark.parametrize("seed", range(4))
def test_after_every_record_nothing_that_was_due_before_it_is_left(seed: int):
    """On bad days of random wards: what the auditor would call overdue is a bug, never a habit."""
    history = History(seed)
    for record in history.grow(120):
        state = history.fold.monitor.state
        left = [late for name in state.subjects() if (late := overdue.find(state, name, record.received_at)) is not None]
        assert left == [], f"record {record.seq} at {record.received_at}"


def test_a_step_that_nobody_took_is_found_with_its_incident():
    """The timers are gone, the state still knows: what they were set for is overdue."""
    world = in_trouble()
    for minute in (2, 4, 6):
        world.tick(minute)
        world.report(minute)
    state, due_at = world.monitor.state, world.monitor.next_deadline()
    assert due_at == minutes(7), "the second step is due five minutes after the first"
    assert overdue.find(state, "P-017", due_at) is None
    state.wakes.clear()
    world.monitor._wakes.clear()
    late = overdue.find(state, "P-017", minutes(8))
    assert late is not None
    assert (late.subject, late.due_at) == ("P-017", minutes(7))
    assert late.what == world.incident().key
    assert overdue.find(state, "nobody", minutes(8)) is None
