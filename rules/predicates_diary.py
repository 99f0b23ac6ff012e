"""The questions about what the home writes down: fever, handwriting, and what is missing."""

from collections.abc import Mapping

from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.view import CourseView, Facet
from gateway.domain.words import DeliveryState, DiaryKind, Priority
from rules.model import Finding
from rules.predicate import Predicate

_ASKED = frozenset({DiaryKind.TEMPERATURE, DiaryKind.HANDWRITING})
_DAYS_BACK_MAX = 14  # a gap in the diary is told back to here


def _fever(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    """The newest temperature counts; since when, is told by those before it without a gap or a normal one in between."""
    measured = [(line.at, line.temperature_c) for line in view.diary if line.temperature_c is not None]
    if not measured or measured[-1][1] < params["from_c"]:
        return ()
    newest_at, newest_c = measured[-1]
    forget_ms = round(params["forget_h"] * HOUR_MS)
    if view.at >= newest_at + forget_ms:
        return ()
    since = newest_at
    for at, celsius in reversed(measured[:-1]):
        if celsius < params["from_c"] or since - at >= forget_ms:
            break
        since = at
    return (
        Finding(
            since=since,
            evidence_at=newest_at,
            priority=Priority.HIGH if newest_c >= params["high_c"] else Priority.MEDIUM,
            recheck_at=newest_at + forget_ms,
            detail=f"{newest_c:.1f}",
        ),
    )


def _handwriting_changed(view: CourseView, _params: Mapping[str, float]) -> tuple[Finding, ...]:
    """A change that was news when it came stands until somebody has it; later lines that look the same end nothing."""
    changed = [line for line in view.diary if line.changed and not line.late]
    if not changed:
        return ()
    return (Finding(since=changed[-1].at, evidence_at=changed[-1].noted_at),)


def _diary_missing(view: CourseView, params: Mapping[str, float]) -> tuple[Finding, ...]:
    """The last local day whose hour has passed has no entry of what is asked for; `since` is the hour of the first such day.

    A day counts from its midnight, and for a course that was enrolled before the hour of the reminder. Entries are expected
    while delivery is.
    """
    if view.judgement.state is DeliveryState.NOT_EXPECTED:
        return ()
    by, remind = round(params["by_hour"] * 60), round(params["remind_hour"] * 60)
    day = 0 if view.at >= view.wall(0, by) else -1
    entered_at = max((line.at for line in view.diary if line.kind in _ASKED), default=-1)
    if not _is_missing(view, day, remind, entered_at):
        return ()
    while day > -_DAYS_BACK_MAX and _is_missing(view, day - 1, remind, entered_at):
        day -= 1
    since = view.wall(day, by)
    return (Finding(since=since, evidence_at=since),)


def _is_missing(view: CourseView, day: int, remind: int, entered_at: Instant) -> bool:
    return view.enrolled_at <= view.wall(day, remind) and entered_at < view.wall(day, 0)


DIARY_PREDICATES: Mapping[str, Predicate] = {
    "fever": Predicate(
        _fever,
        Facet.DIARY,
        {"from_c": 38, "high_c": 39, "forget_h": 24},
        "the newest temperature in the diary is {from_c:g} °C or more and no older than {forget_h:g} h",
        priorities="medium, and high from {high_c:g} °C",
    ),
    "handwriting_changed": Predicate(
        _handwriting_changed, Facet.DIARY, {}, "the home has written down that the handwriting changed"
    ),
    "diary_missing": Predicate(
        _diary_missing,
        Facet.DIARY | Facet.DELIVERY,
        {"by_hour": 20, "remind_hour": 19},
        "the diary has neither temperature nor handwriting of the day at {by_hour:g} o'clock local time (the caregiver is "
        "reminded at {remind_hour:g} o'clock)",
    ),
}
