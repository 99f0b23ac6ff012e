"""What the report keeps of one course while the journal is told again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.core import delivery
from gateway.core.diary import ASKED, wall_at
from gateway.core.state import Course
from gateway.domain.instants import HOUR_MS, SECOND_MS, Instant
from gateway.domain.words import DeliveryState

SAME_BAG_MS = HOUR_MS  # the pump's word and a person's about one bag come within this
DIARY_BY_HOUR = 20
DIARY_LATE_TO_BEGIN_MS = HOUR_MS  # a course that began later than this before the hour is not asked for that day
JUDGED_MAX = 100_000  # changes of judgement kept a course; beyond it the newest only: the diary days before are then not judged


@dataclass(frozen=True, slots=True)
class Stretch:
    """An interruption inside the period, cut at its edges. `found`: proved by volume afterwards; `open`: it goes on."""

    course: str
    since: Instant
    until: Instant
    cause: str
    estimated: bool
    found: bool
    open: bool


@dataclass(frozen=True, slots=True)
class CourseFigures:
    """One course in the period. Lengths in ms; `watched_ms` from enrolment to end, breaks included."""

    course: str
    watched_ms: int
    infused_ms: int
    unknown_ms: int
    bag_changes: int
    stretches: tuple[Stretch, ...]
    events: int
    pages: int
    diary_days: int
    diary_missed: int


class Ledger:
    """One enrolment of one course. `judged`: (instant, delivery state) of every change of our judgement."""

    def __init__(self, course: Course) -> None:
        self.course = course.id
        self.enrolled_at = course.enrolled_at
        self.ended_at: Instant | None = None
        self.pages = 0
        self.judged: list[tuple[Instant, str]] = []
        self._state = course
        self._marked = (0, 0)
        self._hung: list[Instant] = []
        self._stretches: dict[Instant, tuple[Instant, str, bool, bool]] = {}
        self._entered: set[Instant] = set()

    def look(self, course: Course) -> None:
        """Take in how the course is now."""
        self._state, self.ended_at = course, course.ended_at
        if course.bag is not None and (not self._hung or abs(course.bag.hung_at - self._hung[-1]) > SAME_BAG_MS):
            self._hung.append(course.bag.hung_at)
        for stretch in course.delivery.interruptions[-3:]:  # one record ends one, and may find another
            self._stretches[stretch.since] = (stretch.until, stretch.cause, stretch.estimated, stretch.found)
        self._entered.update(line.at for line in course.diary if line.kind in ASKED)
        del self.judged[:-JUDGED_MAX]

    def mark(self, at: Instant) -> None:
        """The period begins here: what was infused or unknown before is not its own."""
        self._marked = self._totals(at)

    def figures(self, from_at: Instant, until_at: Instant, zone: ZoneInfo, events: int) -> CourseFigures | None:
        """The figures of [from_at, until_at); None for a course that was not watched in it."""
        ends_at = min(until_at, self.ended_at) if self.ended_at is not None else until_at
        begins_at = max(from_at, self.enrolled_at)
        if ends_at <= begins_at:
            return None
        infused_ms, unknown_ms = self._totals(ends_at)
        asked = self._asked_days(begins_at, ends_at, zone)
        entered = {datetime.fromtimestamp(at / SECOND_MS, zone).date() for at in self._entered}
        return CourseFigures(
            course=self.course,
            watched_ms=ends_at - begins_at,
            infused_ms=infused_ms - self._marked[0],
            unknown_ms=unknown_ms - self._marked[1],
            bag_changes=sum(begins_at <= hung_at < ends_at for hung_at in self._hung[1:]),
            stretches=tuple(self._inside(begins_at, ends_at)),
            events=events,
            pages=self.pages,
            diary_days=len(asked),
            diary_missed=sum(day not in entered for day in asked),
        )

    def _totals(self, at: Instant) -> tuple[int, int]:
        """(infused, unknown) ms of all cycles of this enrolment up to `at`."""
        course = self._state
        unknown_ms = course.delivery.unknown_ms
        if course.delivery.state is DeliveryState.UNKNOWN:
            unknown_ms += max(0, at - course.delivery.since)
        past = course.care.cycles
        return (
            delivery.infused_ms(course, at) + sum(cycle.infused_ms for cycle in past),
            unknown_ms + sum(cycle.unknown_ms for cycle in past),
        )

    def _inside(self, begins_at: Instant, ends_at: Instant) -> list[Stretch]:
        now = self._state.delivery
        known = dict(self._stretches)
        if now.state is DeliveryState.INTERRUPTED:
            known[now.since] = (ends_at, now.cause, now.estimated, False)
        return [
            Stretch(
                self.course,
                max(since, begins_at),
                min(until, ends_at),
                cause,
                estimated,
                found,
                open=now.state is DeliveryState.INTERRUPTED and since == now.since,
            )
            for since, (until, cause, estimated, found) in sorted(known.items())
            if since < ends_at and until > begins_at
        ]

    def _asked_days(self, begins_at: Instant, ends_at: Instant, zone: ZoneInfo) -> list[date]:
        """Local days on which the diary was to be kept at the hour: inside the period, while delivery was expected."""
        day = datetime.fromtimestamp(begins_at / SECOND_MS, zone).date()
        days = []
        while (by_at := wall_at(day, DIARY_BY_HOUR * 60, zone.key)) < ends_at:
            if by_at >= max(begins_at, self.enrolled_at + DIARY_LATE_TO_BEGIN_MS) and self._expected_at(by_at):
                days.append(day)
            day += timedelta(days=1)
        return days

    def _expected_at(self, at: Instant) -> bool:
        states = [state for judged_at, state in self.judged if judged_at <= at]
        return bool(states) and states[-1] != DeliveryState.NOT_EXPECTED.value
