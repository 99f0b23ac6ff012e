"""Which course comes first: by the priority of what is open, then by the time that is left, never by the time of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.domain.instants import Instant
from gateway.domain.words import Condition

if TYPE_CHECKING:  # the board sorts by what stands here
    from gateway.core.board import CourseLine

_NEVER = (float("inf"), 0, 0)
_TOO_MUCH = frozenset({Condition.FREE_FLOW.value, Condition.OVER_INFUSION.value})


class Ending(StrEnum):
    """What runs out; of what has run out already, what stands first here is the worse."""

    NOW = "now"  # too much flows: there is no time at all
    LIMIT = "limit"  # the protocol's limit of an interruption, in the worst case
    BATTERY = "battery"
    BAG = "bag"  # most likely empty
    EXPIRY = "expiry"


_WORST = tuple(Ending)


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when the patient can do without a person, and why not longer. Instants in ms."""

    at: Instant
    ending: Ending


def deadline(line: "CourseLine", at: Instant) -> Deadline | None:
    """What runs out first for this course; None while nothing does, as far as anybody knows."""
    return min(_deadlines(line, at), key=lambda one: _place(one, at), default=None)


def _place(ends: Deadline, at: Instant) -> tuple[int, int, Instant]:
    """No time is left for all that is past, however long: a bag that expired days ago does not hide that too much flows now."""
    return max(ends.at, at), _WORST.index(ends.ending), ends.at


def _deadlines(line: "CourseLine", at: Instant) -> Iterator[Deadline]:
    if not _TOO_MUCH.isdisjoint(line.conditions):
        yield Deadline(at, Ending.NOW)
    if line.limit_at is not None:
        yield Deadline(line.limit_at, Ending.LIMIT)
    supplies = line.supplies
    if supplies.battery_left_ms is not None:
        yield Deadline(at + supplies.battery_left_ms, Ending.BATTERY)
    if supplies.bag_central_at is not None:
        yield Deadline(supplies.bag_central_at, Ending.BAG)
    if supplies.bag_expires_at is not None:
        yield Deadline(supplies.bag_expires_at, Ending.EXPIRY)


def urgency(line: "CourseLine", at: Instant) -> tuple[int, tuple[float, int, Instant], str]:
    """The sorting key: open incidents first by priority, then the least time left, then the name."""
    rank = max((incident.priority.rank for incident in line.incidents), default=-1)
    ends = deadline(line, at)
    return -rank, _place(ends, at) if ends is not None else _NEVER, line.course
