"""The programme's figures for a period: a fold over the journal. What each number means stands in docs/report.md."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.core.office_hours import is_off_hours
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.effects import Effect, Page, Point
from gateway.domain.instants import Instant
from gateway.domain.words import IncidentState, WhyPaged
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, Record
from gateway.runtime.report_figures import Report, causes_of, times_of
from gateway.runtime.report_ledger import Ledger

READ_AT_ONCE = 2_000

# What the home's diary, the pharmacy and the calendar bring is no trouble with pump, tubing or line.
NOT_OF_THE_PUMP = frozenset({"fever", "handwriting-changed", "diary-missing", "bag-order-due", "bag-change-overdue"})


@dataclass(slots=True)
class _Incident:
    """What is known of one incident. Instants are None until they come."""

    key: str
    course: str
    opened_at: Instant
    acked_at: Instant | None = None
    resolved_at: Instant | None = None
    about: tuple[str, ...] = ()
    paged: bool = False


async def report(journal: Journal, from_at: Instant | None, until_at: Instant | None) -> Report:
    """Tell a journal again and count. Without `from_at` from its beginning, without `until_at` to its end; it ends with it."""
    telling, after = Telling(from_at, until_at), 0
    while records := await journal.read(after, READ_AT_ONCE):
        for record in records:
            after = record.seq
            if not telling.hear(record):
                return telling.report()
    return telling.report()


class Telling:
    """The journal as it is told: feed records in order, then ask for the report."""

    def __init__(self, from_at: Instant | None, until_at: Instant | None) -> None:
        self._fold = Fold()
        self._from_at, self._until_at = from_at, until_at
        self._first_at: Instant | None = None
        self._last_at: Instant = 0
        self._ledgers: dict[tuple[str, int], Ledger] = {}
        self._incidents: dict[str, _Incident] = {}
        self._pages = self._ward_pages = self._damaged = 0
        self._began = False

    def hear(self, record: Record | Damaged) -> bool:
        """Fold one record; False when the period is over and the rest of the journal has nothing to say."""
        if isinstance(record, Damaged):
            self._damaged += 1
            return True
        at = record.received_at
        self._first_at = at if self._first_at is None else self._first_at
        if self._until_at is not None and at >= self._until_at:
            self._last_at = self._until_at
            self._take(self._fold.monitor.advance(self._until_at - 1), "")
            return False
        self._begin(at)
        self._last_at = at
        event = self._fold.read(record)
        effects = self._fold.monitor.step(event, at)
        self._take(effects, getattr(getattr(event, "command", None), "course", ""), f"{record.site}/{record.device}")
        return True

    def _begin(self, at: Instant) -> None:
        """The period begins: what was there before is the base from which is counted."""
        if self._began or (self._from_at is not None and at < self._from_at):
            return
        self._began = True
        if self._from_at is not None and self._first_at is not None and self._first_at < self._from_at:
            self._take(self._fold.monitor.advance(self._from_at - 1), "")
            for ledger in self._ledgers.values():
                ledger.mark(self._from_at)

    def _take(self, effects: Iterable[Effect], course: str, device: str = "") -> None:
        effects, touched = tuple(effects), {course}
        pump = self._fold.monitor.state.pumps.get(device)
        if pump is not None:
            touched.add(pump.course)
        touched |= {str(dict(effect.tags).get("course", "")) for effect in effects if isinstance(effect, Point)}
        for name in touched:
            self._look(name)
        for effect in effects:
            if isinstance(effect, Page):
                self._note_page(effect)
            elif isinstance(effect, Point):
                self._note_point(effect)

    def _look(self, name: str) -> None:
        course = self._fold.monitor.state.courses.get(name)
        if course is None or name == SYNTHETIC:
            return
        key = (course.id, course.enrolment)
        ledger = self._ledgers.get(key)
        if ledger is None:
            ledger = self._ledgers[key] = Ledger(course)
        ledger.look(course)

    def _note_point(self, point: Point) -> None:
        """Take our own judgement in."""
        tags, fields = dict(point.tags), dict(point.fields)
        course = str(tags.get("course", ""))
        if point.measurement == "incident":
            key = str(fields["incident"])
            opened_at = point.at - int(fields["latency_ms"])
            incident = self._incidents.setdefault(key, _Incident(key, course, opened_at))
            if fields["state"] == IncidentState.ACKNOWLEDGED.value and incident.acked_at is None:
                incident.acked_at = point.at
            elif fields["state"] == IncidentState.RESOLVED.value and incident.resolved_at is None:
                incident.resolved_at = point.at
        elif point.measurement == "delivery":
            ledger = self._newest_ledger(course)
            if ledger is not None:
                ledger.judged.append((point.at, str(fields["state"])))

    def _note_page(self, page: Page) -> None:
        if page.course == SYNTHETIC or page.why is WhyPaged.TEST:
            return
        opened = self._incidents.setdefault(page.incident, _Incident(page.incident, page.course, page.decided_at))
        if page.why is WhyPaged.RESOLVED:
            return
        if not opened.paged:
            opened.paged, opened.about = True, tuple(rule for rule in page.about if rule != WhyPaged.STAFFING_GAP.value)
        if self._from_at is None or page.decided_at >= self._from_at:
            self._pages += bool(page.course)
            self._ward_pages += not page.course
            ledger = self._newest_ledger(page.course)
            if ledger is not None:
                ledger.pages += 1

    def _newest_ledger(self, course: str) -> Ledger | None:
        known = self._fold.monitor.state.courses.get(course)
        return self._ledgers.get((course, known.enrolment)) if known is not None else None

    # ---- the report ------------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """The figures of what was heard so far."""
        state = self._fold.monitor.state
        first_at = self._first_at or 0
        from_at = max(first_at, self._from_at) if self._from_at is not None else first_at
        until_at = max(from_at, self._last_at)
        zone = ZoneInfo(state.ward.timezone or "UTC")
        opened = [one for one in self._incidents.values() if from_at <= one.opened_at < until_at and one.paged]
        events = [one for one in opened if one.course and any(rule not in NOT_OF_THE_PUMP for rule in one.about)]
        courses = tuple(
            figures
            for ledger in self._ledgers.values()
            if (figures := ledger.figures(from_at, until_at, zone, self._events_of(ledger, events))) is not None
        )
        off_hours = sum(is_off_hours(one.opened_at, zone) for one in events)
        return Report(
            site=state.ward.site,
            timezone=zone.key,
            from_at=from_at,
            until_at=until_at,
            journal_from_at=first_at,
            courses=courses,
            events=len(events),
            event_causes=causes_of((next(rule for rule in one.about if rule not in NOT_OF_THE_PUMP), 0) for one in events),
            off_hours_percent=100 * off_hours / len(events) if events else None,
            pages=self._pages,
            ward_pages=self._ward_pages,
            acked=times_of(one.acked_at - one.opened_at for one in opened if one.acked_at is not None),
            resolved=times_of(one.resolved_at - one.opened_at for one in opened if one.resolved_at is not None),
            never_acked=sum(one.acked_at is None for one in opened),
            damaged=self._damaged,
            unread=len(self._fold.findings),
        )

    def _events_of(self, ledger: Ledger, events: list[_Incident]) -> int:
        ends_at = ledger.ended_at if ledger.ended_at is not None else self._last_at + 1
        return sum(one.course == ledger.course and ledger.enrolled_at <= one.opened_at <= ends_at for one in events)
