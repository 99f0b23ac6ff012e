"""Rounds of pages: who is told by which contact, and when it is over. Whether and why is `escalation`'s business."""

from collections.abc import Iterator

from gateway.core.codes import code_for
from gateway.core.context import Context
from gateway.core.incident_state import Attempt, Incident, Outstanding, Reached
from gateway.core.incidents import tell
from gateway.core.judgements import incident_point
from gateway.core.languages import locale_of
from gateway.core.state import Subject
from gateway.core.texts import compose
from gateway.domain.effects import Page
from gateway.domain.ward import Person
from gateway.domain.words import WhyPaged


def page_people(subject: Subject, incident: Incident, people: tuple[Person, ...], why: WhyPaged, context: Context) -> int:
    """Begin a round for these people: their contacts are tried in order, each after its own delay. Returns the round."""
    incident.round += 1
    names = {person.id for person in people}
    incident.attempts = [attempt for attempt in incident.attempts if attempt.person not in names]
    incident.spared = [attempt for attempt in incident.spared if attempt.person not in names]
    for person in people:
        before = incident.reached.get(person.id)
        attempts = [
            Attempt(person.id, index, incident.round, context.at + after_ms, why.value)
            for index, after_ms in _tried(person, context)
        ]
        passed_over = set(range(len(person.contacts))) - {attempt.contact for attempt in attempts}
        reached = incident.reached[person.id] = Reached(incident.round, len(person.contacts), sorted(passed_over))
        if before is not None:
            reached.accepted, reached.perhaps = before.accepted, before.perhaps
        incident.attempts += attempts
    tell(incident, context.at, "paging", text=f"{why.value}: {', '.join(sorted(names))}")
    try_contacts(subject, incident, context)
    return incident.round


def _tried(person: Person, context: Context) -> Iterator[tuple[int, int]]:
    """(index of a contact, ms after the beginning): one that is muted makes way for the next, which takes its time."""
    stopped, early_ms = context.desk.stopped.get(person.id, ()), None
    for index, contact in enumerate(person.contacts):
        after_ms = contact.after_ms if early_ms is None else min(early_ms, contact.after_ms)
        if contact.transport in stopped:
            early_ms = after_ms
        else:
            early_ms = None
            yield index, after_ms


def try_contacts(subject: Subject, incident: Incident, context: Context) -> None:
    """Page by the contacts that are due."""
    due = [attempt for attempt in incident.attempts if attempt.due_at <= context.at]
    incident.attempts = [attempt for attempt in incident.attempts if attempt.due_at > context.at]
    for attempt in due:
        person = context.person(attempt.person)
        if person is not None and attempt.contact < len(person.contacts):
            context.effects.append(_page(subject, incident, person, attempt, context))


def _page(subject: Subject, incident: Incident, person: Person, attempt: Attempt, context: Context) -> Page:
    why = WhyPaged(attempt.why)
    contact = person.contacts[attempt.contact]
    about = tuple(dict.fromkeys(note.rule for note in incident.alerts.values()))
    if why is WhyPaged.STAFFING_GAP:
        about = (why.value, *about)
    elif why is WhyPaged.RESOLVED:
        about = (why.value,)
    code = code_for(subject, incident, person, context)
    key = f"{incident.key}/r{attempt.round}/{person.id}/{attempt.contact}"
    incident.outstanding[key] = Outstanding(contact.transport, why.value, context.at)
    return Page(
        key=key,
        incident=incident.key,
        course=context.place(subject),
        person=person.id,
        transport=contact.transport,
        address=contact.address,
        priority=incident.peak,
        why=why,
        about=about,
        text=compose(subject, incident, why, code, context, locale_of(person, contact, context)),
        code=code,
        decided_at=context.at,
    )


def tell_resolved(subject: Subject, incident: Incident, context: Context) -> None:
    """Tell who was paged that it is over, by the first contact that took a page and is not voice.

    Whom nothing can have reached is not told: "resolved" would be the first that they hear of it.
    """
    incident.round += 1
    for name, reached in incident.reached.items():
        if reached.perhaps:
            tell_over(subject, incident, name, context)
    context.effects.append(incident_point(subject, incident, context))


def tell_over(subject: Subject, incident: Incident, name: str, context: Context) -> None:
    """Tell one person that it is over, by the first contact that took a page and is not voice."""
    person, reached = context.person(name), incident.reached[name]
    if person is None:
        return
    quiet = [i for i, c in enumerate(person.contacts) if i not in reached.failed and not _is_voice(c.transport, context)]
    choices = [i for i in reached.accepted if i in quiet] or quiet
    if choices:
        attempt = Attempt(name, choices[0], incident.round, context.at, WhyPaged.RESOLVED.value)
        context.effects.append(_page(subject, incident, person, attempt, context))


def _is_voice(transport: str, context: Context) -> bool:
    facts = context.ward.transports.get(transport)
    return facts is not None and facts.voice
