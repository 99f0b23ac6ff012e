"""The figures of a report as values, and how they are counted. What each means stands in docs/report.md."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.domain.instants import DAY_MS, Instant
from gateway.runtime.report_ledger import CourseFigures, Stretch

WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, of `count` times that it happened; None where it never did."""

    count: int
    median_ms: int | None
    p95_ms: int | None


@dataclass(frozen=True, slots=True)
class Cause:
    """How often something was the cause, and for how long (interruptions only)."""

    name: str
    count: int
    length_ms: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told about [from_at, until_at). Lengths in ms; a share or rate is None where it has no base."""

    site: str
    timezone: str
    from_at: Instant
    until_at: Instant
    journal_from_at: Instant
    courses: tuple[CourseFigures, ...]
    events: int
    event_causes: tuple[Cause, ...]
    off_hours_percent: float | None
    pages: int
    ward_pages: int
    acked: Times
    resolved: Times
    never_acked: int
    damaged: int
    unread: int

    @property
    def patient_weeks(self) -> float:
        """Time in which courses were watched."""
        return sum(one.watched_ms for one in self.courses) / WEEK_MS

    @property
    def infusion_days(self) -> float:
        """Time that was judged delivering, in days of 24 h."""
        return sum(one.infused_ms for one in self.courses) / DAY_MS

    @property
    def unknown_ms(self) -> int:
        """Time in which nobody could know."""
        return sum(one.unknown_ms for one in self.courses)

    @property
    def bag_changes(self) -> int:
        """Bags hung after the first of an enrolment."""
        return sum(one.bag_changes for one in self.courses)

    @property
    def interruptions(self) -> tuple[Stretch, ...]:
        """All interruptions, course by course."""
        return tuple(stretch for one in self.courses for stretch in one.stretches)

    @property
    def interruption_ms(self) -> int:
        """Their length together."""
        return sum(stretch.until - stretch.since for stretch in self.interruptions)

    @property
    def interruption_causes(self) -> tuple[Cause, ...]:
        """What stopped delivery, the most frequent first."""
        return causes_of((stretch.cause, stretch.until - stretch.since) for stretch in self.interruptions)

    @property
    def events_per_bag_change(self) -> float | None:
        """Events of pump, tubing and line for each bag change."""
        return self.events / self.bag_changes if self.bag_changes else None

    @property
    def pages_per_patient_week(self) -> float | None:
        """Pages about courses for each week that one patient was watched."""
        return self.pages / self.patient_weeks if self.patient_weeks else None

    @property
    def diary_days(self) -> int:
        """Days on which a diary was asked for."""
        return sum(one.diary_days for one in self.courses)

    @property
    def diary_missed(self) -> int:
        """Those of them without an entry."""
        return sum(one.diary_missed for one in self.courses)


def times_of(lengths_ms: Iterable[int]) -> Times:
    """Median (the mean of the two middle ones of an even number) and 95th percentile by nearest rank."""
    known = sorted(lengths_ms)
    if not known:
        return Times(0, None, None)
    middle = len(known) // 2
    median = known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) // 2
    rank = -(-95 * len(known) // 100)
    return Times(len(known), median, known[rank - 1])


def causes_of(found: Iterable[tuple[str, int]]) -> tuple[Cause, ...]:
    """Counted by name, the most frequent first."""
    counts: dict[str, Cause] = {}
    for name, length_ms in found:
        known = counts.get(name, Cause(name, 0))
        counts[name] = Cause(name, known.count + 1, known.length_ms + length_ms)
    return tuple(sorted(counts.values(), key=lambda cause: (-cause.count, cause.name)))
