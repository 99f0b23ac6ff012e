"""Which course stands first on the board."""

from dataclasses import dataclass

import pytest

from gateway.core.supplies import SupplyLine
from gateway.core.urgency import Deadline, Ending, deadline, urgency
from gateway.domain.instants import HOUR_MS
from gateway.domain.words import Priority

AT = 1_772_431_380_000


NOTHING = SupplyLine()


@dataclass(frozen=True)
class Incident:
    priority: Priority


@dataclass(frozen=True)
class Line:
    """As much of a course's line as decides."""

    course: str = "P-1"
    conditions: tuple[str, ...] = ()
    limit_at: int | None = None
    supplies: SupplyLine = NOTHING
    incidents: tuple[Incident, ...] = ()


HIGH, LOW = (Incident(Priority.HIGH),), (Incident(Priority.LOW),)


@pytest.mark.hazard("H-03")
def test_the_most_urgent_is_who_has_the_least_time_left_not_who_came_first():
    """Priority first; then limit in the worst case, battery, bag and expiry alike; nothing that runs out comes last.

    Where no time is left, what is worse comes first, however long ago a bag expired.
    """
    lines = [
        Line("expired", incidents=HIGH, supplies=SupplyLine(bag_expires_at=AT - 50 * HOUR_MS)),
        Line("long-over", incidents=HIGH, limit_at=AT - 2 * HOUR_MS),
        Line("no-clock", incidents=HIGH),
        Line("bag", incidents=HIGH, supplies=SupplyLine(bag_central_at=AT + 2 * HOUR_MS)),
        Line("limit", incidents=HIGH, limit_at=AT + HOUR_MS),
        Line("too-much", incidents=HIGH, conditions=("free-flow",)),
        Line("over", incidents=HIGH, limit_at=AT - HOUR_MS),
        Line("battery", incidents=(Incident(Priority.LOW), *HIGH), supplies=SupplyLine(battery_left_ms=HOUR_MS // 2)),
        Line("low", incidents=LOW, limit_at=AT + 1),
        Line("calm-soon", supplies=SupplyLine(bag_expires_at=AT + HOUR_MS)),
        Line("calm", supplies=SupplyLine(bag_central_at=AT + 9 * HOUR_MS)),
        Line("calm-b"),
        Line("calm-a"),
    ]
    names = [line.course for line in sorted(lines, key=lambda line: urgency(line, AT))]
    assert names == [
        *("too-much", "long-over", "over", "expired", "battery", "limit", "bag", "no-clock"),
        *("low", "calm-soon", "calm", "calm-a", "calm-b"),
    ]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (Line(), None),
        (Line(conditions=("battery-low",)), None),
        (Line(conditions=("over-infusion",), limit_at=AT + 1), Deadline(AT, Ending.NOW)),
        (Line(limit_at=AT + 1, supplies=SupplyLine(battery_left_ms=1)), Deadline(AT + 1, Ending.LIMIT)),
        (Line(limit_at=AT - 1, supplies=SupplyLine(bag_expires_at=AT - 9)), Deadline(AT - 1, Ending.LIMIT)),
        (Line(conditions=("free-flow",), limit_at=AT - HOUR_MS), Deadline(AT, Ending.NOW)),
        (
            Line(supplies=SupplyLine(bag_early_at=AT, bag_central_at=AT + 9, bag_expires_at=AT + 8)),
            Deadline(AT + 8, Ending.EXPIRY),
        ),
    ],
)
def test_the_earliest_of_all_that_runs_out_counts(line, wanted):
    """And it is named: the board says which."""
    assert deadline(line, AT) == wanted
