"""When a course's delivery was interrupted, and when nobody knew, as judged now. Read-only."""

from dataclasses import dataclass

from gateway.core.state import Course
from gateway.domain.instants import Instant
from gateway.domain.words import DeliveryState

_STANDS = (DeliveryState.INTERRUPTED, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class JudgedStretch:
    """A stretch that was `interrupted` or `unknown`. One that still lasts is `open`, and reaches to the instant of asking."""

    state: DeliveryState
    since: Instant
    until: Instant
    cause: str = ""
    estimated: bool = False
    open: bool = False


def stretches(course: Course, at: Instant) -> tuple[JudgedStretch, ...]:
    """Those that are remembered, oldest first, and the one that lasts."""
    judged = course.delivery
    found = [
        JudgedStretch(DeliveryState.INTERRUPTED, one.since, one.until, one.cause, one.estimated) for one in judged.interruptions
    ]
    found += [JudgedStretch(DeliveryState.UNKNOWN, since, until) for since, until in judged.unknowns]
    if judged.state in _STANDS:
        found.append(JudgedStretch(judged.state, judged.since, at, judged.cause, judged.estimated, open=True))
    return tuple(sorted(found, key=lambda one: (one.since, one.state)))
