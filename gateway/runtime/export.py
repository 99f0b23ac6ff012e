"""A journal as data for others: what pumps said, what the gateway judged, whom it paged. No names, no addresses, no free text.

Each record is folded once, in order, and gives its lines before the next is read: memory holds the fold and the open incidents.
People are numbered as they appear (`person-1`); what people or pumps wrote in words is left out, because nobody can say what
stands in it. A record that is missing is told as a `gap`: what is judged behind it rests on what is left. What each column means
stands in docs/commands.md.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from gateway.core.events import Commanded, Event, Heard, Sent
from gateway.core.state import Course
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.commands import AddDiary
from gateway.domain.effects import CommandResult, Effect, Page
from gateway.domain.instants import Instant
from gateway.domain.readings import AlarmChange, AlarmsClear, DiaryEntry, LinkStatus, Observation, PumpEvent, Reading
from gateway.domain.words import DiaryKind
from gateway.runtime.audit_incidents import Followers, Gained
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, Record
from gateway.runtime.records import verb_of

READ_AT_ONCE = 2_000
PEOPLE_MAX = 10_000  # numbered; further ones are all `person-other`

Line = dict[str, Any]

# Every line has the first five; the others where they apply. What is not named here never leaves the house.
COLUMNS = (
    *("record", "at", "kind", "course", "pump", "observed_at", "number"),
    *("delivery_status", "not_delivering_reason", "rate_ml_h", "set_rate_ml_h", "infused_ml", "remaining_ml"),
    *("battery_percent", "power", "pressure_mmhg", "locked", "bag_weight_g"),
    *("condition", "phase", "priority", "stops_delivery"),
    *("event", "transitioning", "bag_ml", "primed_ml", "shift_s", "online"),
    *("entry", "temperature_c", "changed"),
    *("state", "since", "until", "cause", "estimated", "found"),
    *("what", "bag", "incident", "who", "page", "by", "why", "about", "outcome", "gap_from", "gap_until"),
)
INSTANTS = frozenset({"at", "observed_at", "since", "until"})

_OF_PAGES = ("page-", "paging")  # of an incident's history; the pages have lines of their own

_KINDS: Mapping[type[Reading], str] = {
    Observation: "observation",
    AlarmChange: "alarm",
    PumpEvent: "event",
    DiaryEntry: "diary",
    LinkStatus: "status",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines: of one course (of all, and of pumps without one, where it is empty), received in [from_at, until_at)."""

    course: str = ""
    from_at: Instant | None = None
    until_at: Instant | None = None


async def export(journal: Journal, chosen: Chosen) -> AsyncIterator[Line]:
    """The chosen lines of a journal, in its order, up to the record that is its last now. Writes nothing."""
    telling, after, last = Export(), 0, await journal.last_seq()
    while after < last and (items := await journal.read(after, READ_AT_ONCE)):
        for item in items:
            after = item.seq
            at = getattr(item, "received_at", None)
            if after > last or (chosen.until_at is not None and at is not None and at >= chosen.until_at):
                return
            for line in telling.hear(item):
                is_wanted = chosen.course in ("", line["course"]) or line["kind"] == "gap"
                if is_wanted and (chosen.from_at is None or line["at"] >= chosen.from_at):
                    yield line


class Export:
    """A journal as it is told: feed it every record in order, and take the lines that each one gives."""

    def __init__(self) -> None:
        self._fold = Fold()
        self._followers = Followers()
        self._people: dict[str, str] = {}
        self._judged: dict[str, tuple[Any, ...]] = {}
        self._interruptions: dict[str, set[tuple[Any, ...]]] = {}
        self._seq, self._at = 0, 0

    def hear(self, item: Record | Damaged) -> list[Line]:
        """The lines of one record, each with at least the first five columns."""
        before, self._seq = self._seq, item.seq
        self._at = getattr(item, "received_at", self._at)
        lines: list[Line] = []
        if item.seq > before + 1:
            lines.append(self._line("gap", gap_from=before + 1, gap_until=item.seq - 1))
        if isinstance(item, Damaged):
            return [*lines, self._line("gap", gap_from=item.seq, gap_until=item.seq)]
        event = self._fold.read(item)
        effects = self._fold.judge(event, item.received_at)
        lines += self._said(event, effects)
        lines += self._judgements()
        lines += (self._page(effect) for effect in effects if isinstance(effect, Page))
        self._fold.findings.clear()
        return [line for line in lines if line["course"] != SYNTHETIC]

    def _line(self, kind: str, course: str = "", pump: str = "", **more: object) -> Line:
        told = {
            name: value.value if isinstance(value, Enum) else value for name, value in more.items() if value not in (None, "")
        }
        return {"record": self._seq, "at": self._at, "kind": kind, "course": course, "pump": pump, **told}

    def _said(self, event: Event, effects: Iterable[Effect]) -> Iterator[Line]:
        match event:
            case Heard():
                yield from self._heard(event)
            case Commanded():
                result = next((one for one in effects if isinstance(one, CommandResult) and one.seq == event.seq), None)
                if result is not None and result.ok and not result.first:
                    yield from self._done(event)
            case Sent():
                yield from self._outcome(event)
            case _:
                return

    def _heard(self, event: Heard) -> Iterator[Line]:
        pump = self._fold.monitor.state.pumps.get(f"{event.site}/{event.device}")
        course = pump.course if pump is not None else ""
        for reading in _one_by_one(event.decoded.readings):
            told = {field.name: getattr(reading, field.name) for field in fields(reading) if field.name in COLUMNS}
            told["number"] = reading.seq
            if isinstance(reading, PumpEvent):
                told |= {"bag": None, "not_delivering_reason": reading.reason}  # the kind of bag is the pump's own text
            yield self._line(_KINDS[type(reading)], course, event.device, **told)
        if event.device:
            for refused in event.decoded.refused:
                yield self._line("refused", course, event.device, why=refused.reason)

    def _done(self, event: Commanded) -> Iterator[Line]:
        """What a person recorded about a course; the diary's entries one by one, without their words."""
        command, who = event.command, self._person(event.who)
        course = getattr(command, "course", "")
        if isinstance(command, AddDiary):
            observed = command.observed_at if command.observed_at is not None else self._at
            entries: dict[DiaryKind, dict[str, Any]] = {
                DiaryKind.TEMPERATURE: {"temperature_c": command.temperature_c},
                DiaryKind.HANDWRITING: {"changed": command.handwriting_changed},
            }
            for entry, told in entries.items():
                if next(iter(told.values())) is not None:
                    yield self._line("diary", course, observed_at=observed, entry=entry, who=who, **told)
        elif course:
            yield self._line("care", course, what=verb_of(command), bag=getattr(command, "bag", ""), who=who)

    # ---- what the gateway judged ------------------------------------------------------------------------------------

    def _judgements(self) -> list[Line]:
        state = self._fold.monitor.state
        names = sorted(key.partition(":")[2] for key in state.dirty if key.startswith("course:"))
        gained = self._followers.look(state, self._seq)
        self._followers.settle(gained)
        lines: list[Line] = []
        for name in names:
            course = state.courses.get(name)
            if course is not None:
                lines += self._delivery(course)
        return [*lines, *(self._happening(one) for one in gained if not one.happening.what.startswith(_OF_PAGES))]

    def _delivery(self, course: Course) -> Iterator[Line]:
        now = course.delivery
        judged = (now.state, now.since, now.cause, now.estimated)
        if self._judged.get(course.id) != judged:
            self._judged[course.id] = judged
            told: dict[str, Any] = {"state": now.state, "since": now.since, "cause": now.cause, "estimated": now.estimated}
            yield self._line("delivery", course.id, course.pump, **told)
        before = self._interruptions.get(course.id, set())
        known = {(one.since, one.until, one.cause, one.estimated, one.found) for one in now.interruptions}
        for since, until, cause, estimated, found in sorted(known - before):
            told = {"since": since, "until": until, "cause": cause, "estimated": estimated, "found": found}
            yield self._line("interruption", course.id, course.pump, **told)
        self._interruptions[course.id] = known

    def _happening(self, one: Gained) -> Line:
        incident, told = one.incident, one.happening
        priority = max((note.priority for note in incident.alerts.values()), key=lambda one: one.rank, default=incident.peak)
        about = sorted({note.rule for note in (*incident.alerts.values(), *incident.last_alerts)})
        return self._line(
            "incident",
            self._course_of(incident.key),
            incident=incident.key,
            what=told.what,
            state=incident.state,
            priority=priority,
            about=" ".join(about),
            who=self._person(told.who),
        )

    def _page(self, page: Page) -> Line:
        return self._line(
            "page",
            page.course,
            incident=page.incident,
            page=self._page_name(page.key),
            who=self._person(page.person),
            by=page.transport,
            why=page.why,
            priority=page.priority,
            about=" ".join(page.about),
        )

    def _outcome(self, event: Sent) -> Iterator[Line]:
        if event.key.count("/") < 3:  # a page's key is incident/round/person/contact; answers have others
            return
        incident, _, person, _ = event.key.rsplit("/", 3)
        course = self._course_of(incident)
        name, who = self._page_name(event.key), self._person(person)
        yield self._line("page-outcome", course, incident=incident, page=name, who=who, outcome=event.outcome)

    def _page_name(self, key: str) -> str:
        """A page's key without the person's name."""
        incident, round_, person, contact = key.rsplit("/", 3)
        return f"{incident}/{round_}/{self._person(person)}/{contact}"

    def _course_of(self, incident: str) -> str:
        name = incident.partition("@")[0].partition(".")[0]
        return name if name in self._fold.monitor.state.courses else ""

    def _person(self, name: str) -> str:
        """The person's number in this export."""
        if not name:
            return ""
        if name not in self._people and len(self._people) >= PEOPLE_MAX:
            return "person-other"
        return self._people.setdefault(name, f"person-{len(self._people) + 1}")


def _one_by_one(readings: Iterable[Reading]) -> Iterator[Reading]:
    """A line tells of one condition."""
    for reading in readings:
        yield from reading.ends() if isinstance(reading, AlarmsClear) else (reading,)
