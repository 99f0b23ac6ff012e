"""What people write back (`4711`, `ack 4711`, `ack`, STOP, START) and what they are told."""

import re
from collections.abc import Iterable, Iterator

from gateway.core import reply_words, stopping
from gateway.core.context import Context
from gateway.core.desk import Issued
from gateway.core.escalation import lease_of
from gateway.core.incident_state import Ack, Incident
from gateway.core.incidents import lease, settle
from gateway.core.judgements import incident_point
from gateway.core.languages import WORDINGS
from gateway.core.languages import answer as say
from gateway.core.oncall import CAREGIVER
from gateway.core.reply_words import Take, Wish
from gateway.core.state import Course, Subject
from gateway.core.texts import clock_time
from gateway.domain.effects import Answer
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.ward import Person, Ward
from gateway.domain.words import IncidentState

CORRECTIONS_AN_HOUR = 5
ENDED_LATELY_MS = 10 * MINUTE_MS  # a bare "ack" may have been meant for an incident that ended so lately


def sender_of(ward: Ward, courses: Iterable[Course], transport: str, address: str) -> Person | None:
    """The person with that number on that transport; numbers compare by their digits. Unknown numbers belong to nobody.

    Caregivers come last: only of courses that run, and the ward's own people are never taken for one.
    """
    wanted = digits(address)
    for person in (*ward.people.values(), *_caregivers(ward, courses)):
        for contact in person.contacts:
            if contact.transport == transport and digits(contact.address) == wanted:
                return person
    return None


def _caregivers(ward: Ward, courses: Iterable[Course]) -> Iterator[Person]:
    for course in courses:
        if course.care.caregiver and course.ended_at is None:
            yield Person(f"{CAREGIVER}:{course.id}", course.care.caregiver, ward.home_locale)


def concerned(person: Person, subjects: dict[str, Subject], context: Context) -> list[str]:
    """The subjects whose incidents this person's reply may change: those of the codes, and those that page the person."""
    paging = {n for n, subject in subjects.items() if any(person.id in incident.reached for incident in subject.open.values())}
    return sorted(paging | {issued.subject for issued in context.desk.codes.get(person.id, {}).values()})


def answer(person: Person, transport: str, text: str, subjects: dict[str, Subject], context: Context) -> str | None:
    """Act on a reply of a known person; returns what to answer, None to stay silent (too many corrections)."""
    match reply_words.read(text):
        case None:
            return _correct(person, say(person, "not-understood"), context)
        case Take(""):
            return _take_the_only_one(person, subjects, context)
        case Take(code):
            issued = context.desk.codes.get(person.id, {}).get(code)
            if issued is None:
                return _correct(person, say(person, "no-such-code", code=code), context)
            return _take(person, issued, subjects, context)
        case Wish.STOP if not stopping.is_stopped(person, transport, context):
            return stopping.stop(person, transport, subjects, context)
        case Wish.START if stopping.is_stopped(person, transport, context):
            return stopping.start(person, transport, context)
        case Wish.STOP:
            return _correct(person, say(person, "stopped-already", transport=transport), context)
        case Wish.START:
            return _correct(person, say(person, "started-already", transport=transport), context)


def _take_the_only_one(person: Person, subjects: dict[str, Subject], context: Context) -> str | None:
    """A bare word means the one open page; with several, or with one that ended only just, nobody can tell which was meant."""
    mine = context.desk.codes.get(person.id, {})
    open_ = [code for code, issued in mine.items() if _open_incident(issued, subjects)]
    if not open_:
        return _correct(person, say(person, "none-open"), context)
    if len(open_) > 1:
        return _correct(person, say(person, "several-open", count=len(open_)), context)
    if any(_ended_lately(issued, subjects, context) for issued in mine.values()):
        place = mine[open_[0]].subject
        return _correct(person, say(person, "ended-just-now", subject=place, code=open_[0]), context)
    return _take(person, mine[open_[0]], subjects, context)


def take(subject: Subject, incident: Incident, who: str, for_ms: int | None, context: Context) -> tuple[Instant, Ack | None]:
    """Give somebody the incident; returns until when, and who else had it until now (None: nobody)."""
    lease_ms = for_ms or lease_of(incident)
    held = incident.ack if incident.state is IncidentState.ACKNOWLEDGED else None
    lease(incident, who, context.at, context.at + lease_ms)
    settle(subject, incident, context.rules.get(subject.protocol if isinstance(subject, Course) else "", {}), context.at)
    context.effects.append(incident_point(subject, incident, context))
    return context.at + lease_ms, held if held and held.who != who else None


def _take(person: Person, issued: Issued, subjects: dict[str, Subject], context: Context) -> str | None:
    incident = _open_incident(issued, subjects)
    if incident is None:
        return say(person, "over", subject=issued.subject)
    until_at, held = take(subjects[issued.subject], incident, person.id, None, context)
    answers, before = WORDINGS[person.locale].answers, ""
    if held is not None:
        before = answers["before"].format(who=held.who, until=clock_time(held.until_at, context, person.locale))
    return answers["taken"].format(subject=issued.subject, until=clock_time(until_at, context, person.locale), before=before)


def _open_incident(issued: Issued, subjects: dict[str, Subject]) -> Incident | None:
    subject = subjects.get(issued.subject)
    if subject is None:
        return None
    return next((incident for incident in subject.open.values() if incident.key == issued.incident), None)


def _ended_lately(issued: Issued, subjects: dict[str, Subject], context: Context) -> bool:
    subject = subjects.get(issued.subject)
    closed = subject.closed if subject is not None else []
    ended = [incident.closed_at for incident in closed if incident.key == issued.incident]
    return any(at is not None and at > context.at - ENDED_LATELY_MS for at in ended)


def _correct(person: Person, words: str, context: Context) -> str | None:
    recent = [at for at in context.desk.corrections.get(person.id, []) if at > context.at - HOUR_MS]
    context.desk.corrections[person.id] = recent
    if len(recent) >= CORRECTIONS_AN_HOUR:
        return None
    recent.append(context.at)
    return words


def digits(address: str) -> str:
    """By what numbers compare, however they are written."""
    return re.sub(r"[\s().+-]", "", address).removeprefix("00")


def answer_effect(seq: int, person: Person, transport: str, address: str, text: str, context: Context) -> Answer:
    """The answer as an effect, keyed by the reply's record."""
    return Answer(key=f"answer@{seq}", person=person.id, transport=transport, address=address, text=text, decided_at=context.at)
