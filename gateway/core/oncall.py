"""Who is on call, and whom a step's targets mean, at one instant. Pure: time is an argument.

Wall times are DST-safe. A turn starts at the same local time every time: a weekly handover at 08:00 stays at 08:00 when the
clocks change. A wall time that is skipped in spring means the first instant after the gap; one that happens twice in autumn
means its first occurrence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.ward import Layer, Rotation, Schedule, Ward

CAREGIVER = "caregiver"

_DAY = timedelta(days=1)
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Duty:
    """The same people on call for a stretch, `until_at` exclusive; no people: a gap."""

    from_at: Instant
    until_at: Instant
    people: tuple[str, ...]


def on_call(schedule: Schedule, at: Instant) -> tuple[str, ...]:
    """Ids of the people on call at `at`; empty when nobody is.

    An override covers [from, until), and the later entry wins; where there is none, all duties of the calendar that cover `at`;
    where there is none either, the last layer that has somebody then; at the bottom the rotation.
    """
    for override in reversed(schedule.overrides):
        if override.from_at <= at < override.until_at:
            return (override.person,)
    if schedule.calendar is not None:
        people = tuple(dict.fromkeys(shift.person for shift in schedule.calendar.shifts(at, at + 1)))
        if people:
            return people
    for layer in reversed(schedule.layers):
        people = _on_turn(layer.rotation, schedule.timezone, at) if _counts(layer, schedule.timezone, at) else ()
        if people:
            return people
    return () if schedule.rotation is None else _on_turn(schedule.rotation, schedule.timezone, at)


def duties(schedule: Schedule, from_at: Instant, until_at: Instant) -> list[Duty]:
    """Who is on call through [from_at, until_at): neighbours differ in their people, and nothing is left out."""
    inside = sorted({from_at, until_at, *(edge for edge in _edges(schedule, from_at, until_at) if from_at < edge < until_at)})
    found: list[Duty] = []
    for start, end in pairwise(inside):  # between two edges nothing changes
        people = on_call(schedule, start)
        if found and found[-1].people == people:
            found[-1] = Duty(found[-1].from_at, end, people)
        else:
            found.append(Duty(start, end, people))
    return found


def gaps(schedule: Schedule, from_at: Instant, until_at: Instant) -> list[tuple[Instant, Instant]]:
    """Stretches of [from_at, until_at) in which nobody is on call: (start, end) pairs in order, end exclusive, merged."""
    return [(duty.from_at, duty.until_at) for duty in duties(schedule, from_at, until_at) if not duty.people]


def _edges(schedule: Schedule, from_at: Instant, until_at: Instant) -> Iterator[Instant]:
    """Every instant of the stretch, and some outside, at which the people may change."""
    shifts = () if schedule.calendar is None else schedule.calendar.shifts(from_at, until_at)
    for shift in (*schedule.overrides, *shifts):
        yield from (shift.from_at, shift.until_at)
    rotations = [layer.rotation for layer in schedule.layers]
    for rotation in (*rotations, *([] if schedule.rotation is None else [schedule.rotation])):
        yield from _handovers(rotation, schedule.timezone, from_at, until_at)
    for layer in schedule.layers:
        day, last = (_local_day(at, schedule.timezone) for at in (from_at - 2 * DAY_MS, until_at + 2 * DAY_MS))
        while day <= last:
            yield from _hours(layer, day, schedule.timezone)
            day += _DAY


def _counts(layer: Layer, timezone: str, at: Instant) -> bool:
    """Whether `at` lies in the layer's hours. Clocks that go back over midnight show a day twice: its neighbours count too."""
    if layer == Layer(layer.rotation):
        return True
    today = _local_day(at, timezone)
    for day in (today - _DAY, today, today + _DAY):
        if day.weekday() in layer.days:
            start_at, end_at = _hours(layer, day, timezone)
            if start_at <= at < end_at:
                return True
    return False


def _hours(layer: Layer, day: date, timezone: str) -> tuple[Instant, Instant]:
    """When the layer's hours of that local day begin and end."""
    return _minute_of(day, layer.from_minute, timezone), _minute_of(day, layer.until_minute, timezone)


def _minute_of(day: date, minute: int, timezone: str) -> Instant:
    later, minute = divmod(minute, _DAY_MINUTES)
    return wall_instant(f"{day + later * _DAY}T{minute // 60:02}:{minute % 60:02}", timezone)


def _local_day(at: Instant, timezone: str) -> date:
    return datetime.fromtimestamp(at // SECOND_MS, ZoneInfo(timezone)).date()


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
    if at < wall_instant(rotation.first_handover, timezone) or not rotation.people:
        return ()
    return (rotation.people[_turn_at(rotation, timezone, at) % len(rotation.people)],)


def _handovers(rotation: Rotation, timezone: str, from_at: Instant, until_at: Instant) -> Iterator[Instant]:
    """The instants of [from_at, until_at) at which a turn of the rotation begins."""
    turn = max(0, _turn_at(rotation, timezone, from_at))
    while (starts_at := _turn_starts(rotation.first_handover, timezone, turn * rotation.every_days)) < until_at:
        yield starts_at
        turn += 1


def _turn_at(rotation: Rotation, timezone: str, at: Instant) -> int:
    """The number of the turn that covers `at`, from 0; negative before the first handover."""
    first_at = wall_instant(rotation.first_handover, timezone)
    if at < first_at:
        return -1
    # Counted in days of 24 h the turn is right but for the hours by which the clocks have moved: one step mends it.
    turn = (at - first_at) // (rotation.every_days * DAY_MS)
    while at < _turn_starts(rotation.first_handover, timezone, turn * rotation.every_days):
        turn -= 1
    while at >= _turn_starts(rotation.first_handover, timezone, (turn + 1) * rotation.every_days):
        turn += 1
    return turn


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
