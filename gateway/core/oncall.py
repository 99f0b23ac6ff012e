"""Who is on call, and whom a step's targets mean, at one instant. Pure: time is an argument.

Wall times are DST-safe. A turn starts at the same local time every time: a weekly handover at 08:00 stays at 08:00 when the
clocks change. A wall time that is skipped in spring means the first instant after the gap; one that happens twice in autumn
means its first occurrence.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.ward import Rotation, Schedule, Ward

CAREGIVER = "caregiver"


def on_call(schedule: Schedule, at: Instant) -> tuple[str, ...]:
    """Ids of the people on call at `at`; empty when nobody is.

    An override covers [from, until), and the later entry wins; where there is none, all calendar shifts that cover `at`; where
    there is none either, the person whose turn it is.
    """
    for override in reversed(schedule.overrides):
        if override.from_at <= at < override.until_at:
            return (override.person,)
    shifts = tuple(dict.fromkeys(shift.person for shift in schedule.shifts if shift.from_at <= at < shift.until_at))
    if shifts or schedule.rotation is None:
        return shifts
    return _on_turn(schedule.rotation, schedule.timezone, at)


def gaps(schedule: Schedule, from_at: Instant, until_at: Instant) -> list[tuple[Instant, Instant]]:
    """Stretches of [from_at, until_at) in which nobody is on call: (start, end) pairs in order, end exclusive, merged."""
    edges = {from_at, until_at}
    for shift in (*schedule.overrides, *schedule.shifts):
        edges |= {shift.from_at, shift.until_at}
    if schedule.rotation is not None:
        edges.add(wall_instant(schedule.rotation.first_handover, schedule.timezone))
    inside = sorted(edge for edge in edges if from_at <= edge <= until_at)
    found: list[tuple[Instant, Instant]] = []
    # Between two edges nothing changes but the turn, and a turn leaves nobody out.
    for start, end in pairwise(inside):
        if on_call(schedule, start):
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def resolve(targets: tuple[str, ...], ward: Ward, at: Instant, caregiver: str | None = None) -> tuple[str, ...]:
    """The people that `targets` mean at `at`: ids in the order of the targets, each once.

    `caregiver` is whom the target of that name means; without one it means nobody. A name that the ward does not have (any more)
    means nobody too: policies are remembered by an incident, people and teams may have gone since.
    """
    found: dict[str, None] = {}
    for target in targets:
        if target == CAREGIVER:
            found |= {caregiver: None} if caregiver is not None else {}
        else:
            found |= dict.fromkeys(person for person in _meant(target, ward, at) if person in ward.people)
    return tuple(found)


def _meant(target: str, ward: Ward, at: Instant) -> Iterable[str]:
    kind, _, name = target.partition(":")
    match kind:
        case "person":
            return (name,)
        case "all":
            return ward.teams.get(name, ())
        case "schedule" if name in ward.schedules:
            return on_call(ward.schedules[name], at)
        case _:
            return ()


def _on_turn(rotation: Rotation, timezone: str, at: Instant) -> tuple[str, ...]:
    first_at = wall_instant(rotation.first_handover, timezone)
    if at < first_at or not rotation.people:
        return ()
    # Counted in days of 24 h the turn is right but for the hours by which the clocks have moved: one step mends it.
    turn = (at - first_at) // (rotation.every_days * DAY_MS)
    while at < _turn_starts(rotation.first_handover, timezone, turn * rotation.every_days):
        turn -= 1
    while at >= _turn_starts(rotation.first_handover, timezone, (turn + 1) * rotation.every_days):
        turn += 1
    return (rotation.people[turn % len(rotation.people)],)


@lru_cache(maxsize=4096)  # a pure function of what it is given; asked for the same few turns at every step
def _turn_starts(first_handover: str, timezone: str, days: int) -> Instant:
    return _to_instant(datetime.fromisoformat(first_handover) + timedelta(days=days), ZoneInfo(timezone))


@lru_cache(maxsize=4096)
def wall_instant(wall: str, timezone: str) -> Instant:
    """The instant of a local wall time (`YYYY-MM-DDTHH:MM`, no offset) in an IANA zone.

    Skipped wall times give the first instant after the gap, doubled ones their first occurrence. Raises ValueError for a time
    that cannot be read and ZoneInfoNotFoundError for an unknown zone.
    """
    return _to_instant(datetime.fromisoformat(wall), ZoneInfo(timezone))


def _to_instant(wall: datetime, zone: ZoneInfo) -> Instant:
    local = wall.replace(tzinfo=zone, fold=0)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != wall:
        at = _end_of_gap(local)
    return round(at.timestamp()) * SECOND_MS


def _end_of_gap(skipped: datetime) -> datetime:
    """The first instant after the gap in which a skipped wall time lies.

    PEP 495: in a gap fold=0 reads it by the offset before the change and fold=1 by the one after, so that the change lies
    between the two readings.
    """
    zone = skipped.tzinfo
    before, after = skipped.replace(fold=1).astimezone(UTC), skipped.astimezone(UTC)
    offset = skipped.utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
