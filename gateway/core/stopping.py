"""People who want no more pages by one transport (STOP), and who want them again (START)."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.core.context import Context
from gateway.core.escalation import pass_over
from gateway.core.languages import WORDINGS, answer, locale_of
from gateway.core.state import Subject
from gateway.domain.effects import Page
from gateway.domain.ward import Person
from gateway.domain.words import Priority, WhyPaged


def stop(person: Person, transport: str, subjects: Mapping[str, Subject], context: Context) -> str:
    """No pages to this person by this transport from now on; returns what the person is told.

    What waits for it passes to the next contact at once. Where it was the last one, the fallback people are paged.
    """
    stopped = context.desk.stopped
    for gone in [name for name in stopped if context.person(name) is None]:
        del stopped[gone]  # only of people whom the ward knows: it grows no further than they
    stopped[person.id] = sorted({*stopped.get(person.id, ()), transport})
    for subject in subjects.values():
        for incident in subject.open.values():
            pass_over(incident, person, transport, context)
    rest = ", ".join(dict.fromkeys(contact.transport for _, contact in context.contacts(person)))
    if rest:
        return answer(person, "stopped", transport=transport, rest=rest)
    told = _page_others(person, transport, context)
    others = answer(person, "others-told", people=", ".join(told)) if told else ""
    return answer(person, "stopped-last", transport=transport, others=others)


def start(person: Person, transport: str, context: Context) -> str:
    """Pages by this transport again; returns what the person is told."""
    left = [name for name in context.desk.stopped[person.id] if name != transport]
    if left:
        context.desk.stopped[person.id] = left
    else:
        del context.desk.stopped[person.id]
    return answer(person, "started", transport=transport)


def is_stopped(person: Person, transport: str, context: Context) -> bool:
    """Whether this person wants no pages by this transport."""
    return transport in context.desk.stopped.get(person.id, ())


def said(stopped: Mapping[str, Sequence[str]]) -> list[str]:
    """Who wants no pages by what, in words: whoever runs the gateway should not learn it from a page that went another way."""
    return [f"{name} gets no pages by {', '.join(transports)} (STOP)" for name, transports in sorted(stopped.items())]


def _page_others(person: Person, transport: str, context: Context) -> tuple[str, ...]:
    """Tell the fallback people by everything that they have, for nothing stands behind this page that would try again.

    Where none of them can be reached either, everybody whom the ward can reach.
    """
    people = tuple(other for other in context.people(context.ward.fallback) if other.id != person.id)
    everybody = (other for other in context.ward.people.values() if context.contacts(other))
    for other in people or (people := tuple(everybody)):
        context.effects += _pages(other, person, transport, context)
    return tuple(other.id for other in people)


def _pages(other: Person, person: Person, transport: str, context: Context) -> Iterator[Page]:
    incident = f"{context.ward.site}.{WhyPaged.UNREACHABLE.value}@{context.seq}"
    for index, contact in context.contacts(other):
        yield Page(
            key=f"{incident}/r1/{other.id}/{index}",
            incident=incident,
            course="",
            person=other.id,
            transport=contact.transport,
            address=contact.address,
            priority=Priority.MEDIUM,
            why=WhyPaged.UNREACHABLE,
            about=(WhyPaged.UNREACHABLE.value,),
            text=WORDINGS[locale_of(other, contact, context)].unreachable.format(
                site=context.ward.site, person=person.id, transport=transport
            ),
            code="",
            decided_at=context.at,
        )
