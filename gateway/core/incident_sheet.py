"""One incident in full, as its page shows it: frozen, read from the state, deciding nothing."""

from dataclasses import dataclass

from gateway.core.board import CourseLine, IncidentLine, course_line, incident_line
from gateway.core.context import Context
from gateway.core.escalation import lease_of, policy_of
from gateway.core.state import Course
from gateway.core.store import State
from gateway.core.stretches import JudgedStretch, stretches
from gateway.domain.instants import Instant


@dataclass(frozen=True, slots=True)
class IncidentSheet:
    """An incident with its course. `device` is the course's pump; empty for the site's incidents, which have no course.

    `colleagues` are the people of the ward whom a page can reach; `lease_ms` is how long an ack lasts where nobody says
    otherwise. `pages_nobody`: its policy has no steps. `stretches` are the course's interruptions and unknown times.
    """

    line: IncidentLine
    course: CourseLine | None
    device: str
    stretches: tuple[JudgedStretch, ...]
    colleagues: tuple[str, ...]
    lease_ms: int
    pages_nobody: bool


def incident_sheet(state: State, key: str, at: Instant) -> IncidentSheet | None:
    """The incident with this key, open or lately closed; None where none is remembered."""
    subject = state.peek_at(key)
    known = (*subject.open.values(), *subject.closed) if subject is not None else ()
    incident = next((one for one in known if one.key == key), None)
    if subject is None or incident is None:
        return None
    course = subject if isinstance(subject, Course) else None
    return IncidentSheet(
        line=incident_line(incident, state),
        course=course_line(state, course, at) if course is not None else None,
        device=course.pump if course is not None else "",
        stretches=stretches(course, at) if course is not None else (),
        colleagues=_colleagues(state, at),
        lease_ms=lease_of(incident),
        pages_nobody=not policy_of(incident).steps,
    )


def _colleagues(state: State, at: Instant) -> tuple[str, ...]:
    now = Context(state.ward, state.protocols, state.rules, state.desk, at, 0, courses=state.courses)
    return tuple(sorted(person.id for person in state.ward.people.values() if now.contacts(person)))
