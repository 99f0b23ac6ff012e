"""Courses and pumps in full, read at one instant; for front ends, which never see the state itself."""

from collections.abc import Sequence

from gateway.core.course_sheet import CourseEntry, CourseSheet, course_entries, course_sheet
from gateway.core.foresight import Foreseen, foresee
from gateway.core.incident_sheet import IncidentSheet, incident_sheet
from gateway.core.pump_sheet import PumpSheet, pump_sheet
from gateway.core.rehearsal import Rehearsed, rehearse
from gateway.core.roster import Roster, build_roster
from gateway.core.store import State
from gateway.core.synthetic import PROTOCOL
from gateway.domain.commands import Command
from gateway.domain.instants import Instant
from gateway.domain.words import Condition
from rules.model import Protocol


class Sheets:
    """What is known at `at`. To be asked at once, before anything else happens: it reads the living state."""

    def __init__(self, state: State, at: Instant) -> None:
        self._state, self.at = state, at

    @property
    def timezone(self) -> str:
        """The ward's zone."""
        return self._state.ward.timezone

    @property
    def transports(self) -> tuple[str, ...]:
        """The ward's ways to reach people, by name."""
        return tuple(sorted(self._state.ward.transports))

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols that a course may be enrolled under, by name."""
        known = self._state.protocols
        return tuple(known[name] for name in sorted(known) if name != PROTOCOL)

    def courses(self) -> Sequence[CourseEntry]:
        """All courses that are remembered; those that ended last."""
        return course_entries(self._state, self.at)

    def course(self, name: str) -> CourseSheet | None:
        """One course, running or ended; None where none of that name is remembered."""
        return course_sheet(self._state, name, self.at)

    def incident(self, key: str) -> IncidentSheet | None:
        """One incident, open or lately closed; None where none of that key is remembered."""
        return incident_sheet(self._state, key, self.at)

    def foresee(self, key: str, who: str, command: Command | None) -> Foreseen | None:
        """What would become of an open incident if `who` gave this command now, or nobody did anything; changes nothing."""
        return foresee(self._state, key, who, command, self.at)

    def pump(self, device: str) -> PumpSheet | None:
        """One device; None where it was never heard or enrolled."""
        return pump_sheet(self._state, device, self.at)

    def rehearse(self, device: str, condition: Condition) -> Rehearsed:
        """Who would be paged if this device, serving a course, raised this condition now; pages nobody, changes nothing."""
        return rehearse(self._state, device, condition, self.at)

    def roster(self) -> Roster:
        """Who can be paged, how, and by which policy."""
        return build_roster(self._state, self.at)
