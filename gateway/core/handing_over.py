"""A person hands an incident over to a colleague by name. Nobody has it until she takes it; no answer is no end."""

from gateway.core import incidents
from gateway.core.context import Context
from gateway.core.done import Done, moment, no, yes
from gateway.core.escalation import GRACE_MS, policy_of
from gateway.core.incident_state import Incident
from gateway.core.paging import page_people
from gateway.core.state import Subject
from gateway.domain.sentences import sentence
from gateway.domain.ward import Person
from gateway.domain.words import IncidentState, WhyPaged


def hand_over(subject: Subject, incident: Incident, who: str, to: str, now: Context) -> Done:
    """Page the colleague at once; refused for people whom the ward does not know, those who have it, and whom no page reaches."""
    person, ack = now.ward.people.get(to), incident.ack
    if person is None:
        return no(sentence("the ward has no {name!r}; it has: {known}", name=to, known=tuple(sorted(now.ward.people))))
    if to == who:
        return no(sentence("it cannot be handed over to yourself: acknowledge it"))
    if incident.state is IncidentState.ACKNOWLEDGED and incident.restart_at is None and ack is not None and ack.who == to:
        return no(sentence("{to} has it already", to=to))
    if not now.contacts(person):
        return no(sentence("no page can reach {to}, who has stopped them all: hand it over to somebody else", to=to))
    incidents.tell(incident, now.at, "handed-over", who=who, text=to)
    _page(subject, incident, person, now)
    said = sentence("{subject}: {to} is paged", subject=subject.id, to=to)
    if incident.next_step_at is not None:
        said = sentence(
            "{subject}: {to} is paged; unless somebody takes it the next step is paged at {at}",
            subject=subject.id,
            to=to,
            at=moment(incident.next_step_at, now),
        )
    return yes(said, subject.id, incident.key)


def _page(subject: Subject, incident: Incident, person: Person, now: Context) -> None:
    """Where somebody had it, the policy starts at step 1 unless it is taken in the time that an ended lease gives.

    It starts at once when no contact of the colleague takes the page. Steps that were going on are not delayed.
    """
    held = incidents.move(incident, "escalate")
    incident.ack, incident.restart_at = None, None
    round_ = page_people(subject, incident, (person,), WhyPaged.ESCALATED, now)
    if held and policy_of(incident).steps:
        incident.cycle_at, incident.step, incident.step_round = None, -1, round_
        incident.next_step_at = now.at + GRACE_MS
