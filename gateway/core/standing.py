"""How the ward stands, as points of the time series: said again from time to time, so that any stretch of it shows every course.

A store that hears of changes only shows nothing of a course that has been calm for longer than people look back. What these
points say can be worked out again from the state, so a crash costs at most the last few minutes of them.
"""

from collections.abc import Mapping

from gateway.core import delivery
from gateway.core.context import Context
from gateway.core.intake import is_silent
from gateway.core.judgements import delivery_point, incident_point
from gateway.core.state import INTERRUPTIONS_MAX, Course, Interruption, Pump, Subject
from gateway.core.store import State
from gateway.core.supplies import supply_line
from gateway.domain.effects import Point
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.words import DeliveryState

Onset = tuple[Instant, str]  # when an interruption began, and its cause


def standing_points(state: State, subject: Subject, at: Instant) -> list[Point]:
    """The open incidents of a course or of the site; of a running course also its delivery."""
    now = Context(state.ward, state.protocols, state.rules, state.desk, at, 0, courses=state.courses)
    points = [incident_point(subject, incident, now) for incident in subject.open.values()]
    if isinstance(subject, Course) and subject.ended_at is None:
        points.append(delivery_point(subject, now))
    return points


def course_point(state: State, course: Course, at: Instant, *, pages: int, watched_ms: int) -> Point:
    """A running course's forecasts, its pump's last word, and the `pages` of the `watched_ms` before `at`."""
    pump = state.pumps.get(f"{course.site}/{course.pump}") if delivery.is_served(course) else None
    pump, protocol = pump or Pump(course.site, course.pump), state.protocols.get(course.protocol)
    supplies, bag = supply_line(course, pump, protocol, at), course.bag
    worst_ms = delivery.worst_ms(course, pump, at)
    instants = {
        "heard_at": pump.heard_at or None,
        "limit_at": at - worst_ms + protocol.interruption_limit_ms if worst_ms and protocol else None,
        "bag_hung_at": bag.hung_at if bag else None,
        "bag_change_at": bag.planned_change_at if bag else None,
        "bag_expires_at": supplies.bag_expires_at,
        "bag_empty_early_at": supplies.bag_early_at,
        "bag_empty_at": supplies.bag_central_at,
        "bag_empty_late_at": supplies.bag_late_at,
        "battery_empty_at": at + supplies.battery_left_ms if supplies.battery_left_ms is not None else None,
    }
    fields: tuple[tuple[str, float | int | str], ...] = (
        ("state", course.delivery.state.value),
        ("code", course.delivery.state.code),
        ("silent", int(is_silent(pump, protocol, at))),
        ("worst_s", worst_ms / SECOND_MS),
        ("bag", bag.kind if bag else ""),
        ("incidents", len(course.open)),
        ("pages", pages),
        ("watched_s", watched_ms / SECOND_MS),
        *((name, instant) for name, instant in instants.items() if instant is not None),
    )
    return Point("course", (("site", course.site), ("device", course.pump), ("course", course.id)), fields, at)


def interruption_points(course: Course, before: Mapping[Onset, Point], at: Instant) -> dict[Onset, Point]:
    """The course's interruptions as points, by (since, cause); those of `before` that a late word took back have length 0."""
    now = course.delivery
    known = {(one.since, one.cause): _interruption(course, one) for one in now.interruptions}
    if now.state is DeliveryState.INTERRUPTED:
        going_on = Interruption(now.since, at, now.cause, now.estimated)
        known[now.since, now.cause] = _interruption(course, going_on, goes_on=True)
    remembered_from = max(course.enrolled_at, course.care.cycle_started_at or 0)
    if len(now.interruptions) >= INTERRUPTIONS_MAX:
        remembered_from = max(remembered_from, min(one.since for one in now.interruptions))
    taken_back = [(since, cause) for since, cause in before if (since, cause) not in known and since >= remembered_from]
    return known | {
        (since, cause): _interruption(course, Interruption(since, since, cause, estimated=False)) for since, cause in taken_back
    }


def _interruption(course: Course, one: Interruption, *, goes_on: bool = False) -> Point:
    tags = (("site", course.site), ("device", course.pump), ("course", course.id), ("cause", one.cause))
    length_s = (one.until - one.since) / SECOND_MS
    fields = (("length_s", length_s), ("until", one.until), ("estimated", int(one.estimated)), ("open", int(goes_on)))
    return Point("interruption", tags, fields, one.since)
