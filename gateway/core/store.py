"""Where the monitor keeps its cells, so that each can be saved by itself while others go on changing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.core.desk import Desk
from gateway.core.state import Course, Pump, Site, Subject
from gateway.domain.instants import DAY_MS, Instant
from gateway.domain.ward import Ward
from rules.model import Protocol, Rule

Cell = Pump | Course | Site | Desk

PUMPS_MAX = 20_000  # devices remembered. Full: one that nobody enrolled is read and forgotten; names are free on a broker
ENDED_KEPT_MS = 90 * DAY_MS  # how long an ended course is remembered; its history stays in the journal


@dataclass(slots=True)
class State:
    """All cells, the ward as loaded last, and the planned wake-ups (which are derived, never saved).

    `stirred` names pumps without a course whose messages may have changed an alert; `alerting` those that have one, with the
    instant at which time alone changes it, and `stray_dues` is a heap of these: the site looks at no others, for there may be
    thousands. All three are derived, never saved.

    `dirty` names the cells changed since the last snapshot. `before_change` is told of a cell in `frozen` before it changes.
    """

    ward: Ward = field(default_factory=lambda: Ward(site="", timezone="UTC"))
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    rules: dict[str, dict[str, Rule]] = field(default_factory=dict)
    desk: Desk = field(default_factory=Desk)
    pumps: dict[str, Pump] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    wakes: dict[str, Instant] = field(default_factory=dict)
    stirred: set[str] = field(default_factory=set)
    alerting: dict[str, Instant | None] = field(default_factory=dict)
    stray_dues: list[tuple[Instant, str]] = field(default_factory=list)
    dirty: set[str] = field(default_factory=set)
    frozen: set[str] = field(default_factory=set)
    before_change: Callable[[str], None] | None = None

    def index_rules(self) -> None:
        """Rules by protocol and name; under the empty name those that concern the site, first protocol first."""
        self.rules = {name: {rule.name: rule for rule in protocol.rules} for name, protocol in self.protocols.items()}
        everywhere: dict[str, Rule] = {}
        for rules in list(self.rules.values()):
            for name, rule in rules.items():
                everywhere.setdefault(name, rule)
        self.rules[""] = everywhere
        if self.ward.site and self.ward.site not in self.sites:
            self._changes(f"site:{self.ward.site}")
            self.sites[self.ward.site] = Site(self.ward.site)

    def pump(self, site: str, device: str) -> Pump:
        """The device's cell, to be changed; made when it is new."""
        key = f"{site}/{device}"
        pump = self.pumps.get(key)
        if pump is None:
            pump = self.pumps[key] = Pump(site, device)
        self._changes(f"pump:{key}")
        return pump

    def heard(self, site: str, device: str) -> Pump:
        """The cell of a device that was heard, to be changed; of a new one beyond `PUMPS_MAX` one that nobody keeps."""
        if len(self.pumps) >= PUMPS_MAX and f"{site}/{device}" not in self.pumps:
            return Pump(site, device)
        return self.pump(site, device)

    def pump_of(self, course: Course) -> Pump:
        """The cell of the course's pump, to be changed."""
        return self.pump(course.site, course.pump)

    def course_of(self, pump: Pump) -> Course | None:
        """The cell of the course that the pump serves, to be changed."""
        if not pump.course:
            return None
        self._changes(f"course:{pump.course}")
        return self.courses.get(pump.course)

    def peek(self, name: str) -> Course | Site | None:
        """A subject, to be read."""
        return self.courses.get(name) or self.sites.get(name)

    def touch(self, name: str) -> Course | Site | None:
        """A subject, to be changed."""
        if name in self.courses:
            self._changes(f"course:{name}")
            return self.courses[name]
        if name in self.sites:
            self._changes(f"site:{name}")
        return self.sites.get(name)

    def add_course(self, course: Course) -> None:
        """A new course, in the place of an ended one of that name; those that ended long ago make room."""
        self._changes(f"course:{course.id}")
        self.courses[course.id] = course
        for old in list(self.courses.values()):
            if old.ended_at is not None and old.ended_at < course.enrolled_at - ENDED_KEPT_MS and not old.open:
                self._changes(f"course:{old.id}")
                del self.courses[old.id]

    def drop_course(self, name: str) -> None:
        """Forget a course."""
        self._changes(f"course:{name}")
        del self.courses[name]

    def _changes(self, key: str) -> None:
        if key in self.frozen and self.before_change is not None:
            self.before_change(key)
        self.dirty.add(key)

    def subjects(self) -> Iterator[str]:
        """Names of all subjects, sorted: a restored state holds them in another order than the one that was saved."""
        yield from sorted(self.courses)
        yield from sorted(self.sites)

    def all_subjects(self) -> dict[str, Subject]:
        """All subjects by name."""
        return {**self.courses, **self.sites}

    def subject_of(self, incident_key: str) -> Course | Site | None:
        """The subject of an incident's key (`P-017@5`, `P-017.pharmacy@5`), to be changed."""
        return self.touch(_subject_in(incident_key))

    def peek_at(self, incident_key: str) -> Course | Site | None:
        """The subject of an incident's key, to be read."""
        return self.peek(_subject_in(incident_key))

    def cell(self, key: str) -> Cell | None:
        """A cell by its key (`pump:site/device`, `course:P-017`, `site:ward`, `desk:`)."""
        kind, _, name = key.partition(":")
        if kind == "desk":
            return self.desk
        if kind == "pump":
            return self.pumps.get(name)
        return self.courses.get(name) if kind == "course" else self.sites.get(name)


def _subject_in(incident_key: str) -> str:
    return incident_key.partition("@")[0].partition(".")[0]
