"""What should have happened by now and has not, read from the state itself and from no timer. Pure: time is an argument."""

from dataclasses import dataclass

from gateway.core import courses, escalation
from gateway.core.store import State
from gateway.domain.instants import Instant


@dataclass(frozen=True, slots=True)
class Overdue:
    """A subject whose next change was due at `due_at`: `what` is an incident's key, or `judgement` (an alert, a milestone)."""

    subject: str
    what: str
    due_at: Instant


def find(state: State, name: str, before: Instant) -> Overdue | None:
    """The subject's earliest change that was due before `before`, and has not happened."""
    subject = state.peek(name)
    if subject is None:
        return None
    found: list[Overdue] = []
    judged_at = courses.next_due(state, subject)
    if judged_at is not None and judged_at < before:
        found.append(Overdue(name, "judgement", judged_at))
    for incident in subject.open.values():
        due_at = escalation.next_due(incident)
        if due_at is not None and due_at < before:
            found.append(Overdue(name, incident.key, due_at))
    return min(found, key=lambda one: one.due_at, default=None)
