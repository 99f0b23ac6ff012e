"""What people write back (`4711`, `ack 4711`, `ack`) and what they are told."""

import re
from collections.abc import Iterable, Iterator
from unicodedata import normalize

from gateway.core.context import Context
from gateway.core.escalation import policy_of
from gateway.core.incident_state import Incident
from gateway.core.incidents import lease, settle
from gateway.core.judgements import incident_point
from gateway.core.oncall import CAREGIVER
from gateway.core.state import Course, Issued, Subject
from gateway.core.texts import clock_time
from gateway.domain.effects import Answer
from gateway.domain.instants import HOUR_MS
from gateway.domain.ward import Person, Ward
from gateway.domain.words import IncidentState

CORRECTIONS_AN_HOUR = 5
DEFAULT_LEASE_MS = 2 * HOUR_MS

_REPLY = re.compile(r"(?:(?P<word>ack|ok|yes)\b)?[\s:#.]*(?P<code>\d{4,6})?[\s.!]*", re.IGNORECASE)


def sender_of(ward: Ward, courses: Iterable[Course], transport: str, address: str) -> Person | None:
    """The person with that number on that transport; numbers compare by their digits. Unknown numbers belong to nobody.

    Caregivers come last: only of courses that run, and the ward's own people are never taken for one.
    """
    wanted = _digits(address)
    for person in (*ward.people.values(), *_caregivers(courses)):
        for contact in person.contacts:
            if contact.transport == transport and _digits(contact.address) == wanted:
                return person
    return None


def _caregivers(courses: Iterable[Course]) -> Iterator[Person]:
    for course in courses:
        if course.care.caregiver and course.ended_at is None:
            yield Person(f"{CAREGIVER}:{course.id}", course.care.caregiver)


def answer(person: Person, text: str, subjects: dict[str, Subject], context: Context) -> str | None:
    """Act on a reply of a known person; returns what to answer, None to stay silent (too many corrections)."""
    match = _REPLY.fullmatch(normalize("NFKC", text).strip())  # a Chinese keyboard writes wide digits
    if match is None or not (match["word"] or match["code"]):
        return _correct(person, "Not understood. Reply with the code of the page to take it.", context)
    if match["code"]:
        issued = context.desk.codes.get(person.id, {}).get(match["code"])
        if issued is None:
            return _correct(person, f"No page to you has the code {match['code']}.", context)
        return _take(person, issued, subjects, context)
    open_ = [entry for entry in context.desk.codes.get(person.id, {}).values() if _open_incident(entry, subjects)]
    if len(open_) != 1:
        words = "No page to you is open." if not open_ else f"{len(open_)} pages to you are open: reply with the code of one."
        return _correct(person, words, context)
    return _take(person, open_[0], subjects, context)


def take(subject: Subject, incident: Incident, who: str, for_ms: int | None, context: Context) -> str:
    """Give somebody the incident; returns what they are told."""
    lease_ms = for_ms or policy_of(incident).ack_lease_ms or DEFAULT_LEASE_MS
    held = incident.ack if incident.state is IncidentState.ACKNOWLEDGED else None
    lease(incident, who, context.at, context.at + lease_ms)
    settle(subject, incident, context.rules.get(subject.protocol if isinstance(subject, Course) else "", {}), context.at)
    context.effects.append(incident_point(subject, incident, context))
    until = clock_time(context.at + lease_ms, context)
    before = f" ({held.who} had it until {clock_time(held.until_at, context)})" if held and held.who != who else ""
    return f"{subject.id}: yours until {until}{before}. The pump's alarm is cleared at the pump only."


def _take(person: Person, issued: Issued, subjects: dict[str, Subject], context: Context) -> str | None:
    incident = _open_incident(issued, subjects)
    if incident is None:
        return f"{issued.subject}: that one is over already; nothing was changed."
    return take(subjects[issued.subject], incident, person.id, None, context)


def _open_incident(issued: Issued, subjects: dict[str, Subject]) -> Incident | None:
    subject = subjects.get(issued.subject)
    if subject is None:
        return None
    return next((incident for incident in subject.open.values() if incident.key == issued.incident), None)


def _correct(person: Person, words: str, context: Context) -> str | None:
    recent = [at for at in context.desk.corrections.get(person.id, []) if at > context.at - HOUR_MS]
    context.desk.corrections[person.id] = recent
    if len(recent) >= CORRECTIONS_AN_HOUR:
        return None
    recent.append(context.at)
    return words


def _digits(address: str) -> str:
    return re.sub(r"[\s().+-]", "", address).removeprefix("00")


def answer_effect(seq: int, person: Person, transport: str, address: str, text: str, context: Context) -> Answer:
    """The answer as an effect, keyed by the reply's record."""
    return Answer(key=f"answer@{seq}", person=person.id, transport=transport, address=address, text=text, decided_at=context.at)
