"""Whom to reach about a course, and who signed that it may begin."""

from gateway.core import replies
from gateway.core.bags import AHEAD_MAX_MS
from gateway.core.context import Context
from gateway.core.done import Done, no, not_running, running, yes
from gateway.core.oncall import CAREGIVER
from gateway.core.store import State
from gateway.domain.care import ChangeContacts
from gateway.domain.commands import Enrol
from gateway.domain.sentences import Sentence, sentence
from gateway.domain.ward import Contact
from rules.model import Protocol

CONTACTS_MAX = 5
ADDRESS_MAX = 200
TRAVEL_MINUTES_MAX = 24 * 60


def checklist_refusal(command: Enrol, protocol: Protocol, now: Context) -> Sentence | None:
    """Why this patient may not begin at home yet; None when nothing is missing, or somebody says why all the same."""
    for signed in command.checklist:
        if protocol.checklist and signed.item not in protocol.checklist:
            return sentence(
                "the checklist of {protocol} has no item {item!r}; it has: {known}",
                protocol=protocol.name,
                item=signed.item,
                known=tuple(protocol.checklist),
            )
        if not signed.by.strip():
            return sentence("checklist: nobody signed {item!r}", item=signed.item)
        if signed.at > now.at + AHEAD_MAX_MS:
            return sentence("checklist: {item!r} cannot have been signed in the future", item=signed.item)
    if command.override_reason.strip():
        return None
    have = {signed.item for signed in command.checklist}
    missing = tuple(item for item in protocol.checklist if item not in have) if command.checklist else ()
    if missing:
        return sentence(
            "the checklist is not complete: {missing} not signed; complete it, or give a reason to override", missing=missing
        )
    if not command.checklist_complete:
        return sentence("the checklist is not complete; complete it, or give a reason to override")
    return None


def refusal(course: str, caregiver: tuple[Contact, ...], travel_minutes: int | None, now: Context) -> Sentence | None:
    """Why these contacts of that course's caregiver cannot be; None when they can."""
    if len(caregiver) > CONTACTS_MAX:
        return sentence("a caregiver has at most {n} contacts", n=CONTACTS_MAX)
    for contact in caregiver:
        if contact.transport not in now.ward.transports:
            known = tuple(sorted(now.ward.transports))
            return sentence("the ward has no transport {name!r}; it has: {known}", name=contact.transport, known=known)
        if not 0 < len(contact.address.strip()) <= ADDRESS_MAX or contact.after_ms < 0:
            return sentence("the caregiver's {way} needs an address, and a delay that is not negative", way=contact.transport)
        holder = _holder(course, contact, now)
        if holder:
            return sentence(
                "the caregiver's {way} is that of {holder} already: nobody could tell whose reply comes from it",
                way=contact.transport,
                holder=holder,
            )
    if travel_minutes is not None and not 0 <= travel_minutes <= TRAVEL_MINUTES_MAX:
        return sentence("travel to the hospital takes from 0 to 1440 minutes")
    return None


def _holder(course: str, contact: Contact, now: Context) -> str:
    """Who else writes from that number: a person of the ward, or the caregiver of another running course; empty: nobody."""
    if not now.ward.transports[contact.transport].two_way:
        return ""
    others = (other for other in now.courses.values() if other.id != course)
    holder = replies.sender_of(now.ward, others, contact.transport, contact.address)
    return holder.id if holder is not None else ""


def forget_stop(course: str, now: Context) -> None:
    """A STOP was the word of whoever was the caregiver: the next one gets pages until saying so, too."""
    now.desk.stopped.pop(f"{CAREGIVER}:{course}", None)


def change(state: State, command: ChangeContacts, now: Context) -> Done:
    """Other contacts from now on."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    wrong = refusal(course.id, command.caregiver or (), command.travel_minutes, now)
    if wrong:
        return no(wrong)
    care = course.care
    if command.caregiver is not None:
        if _numbers(command.caregiver) != _numbers(care.caregiver):
            forget_stop(course.id, now)
        care.caregiver = command.caregiver
    if command.ward_contact is not None:
        care.ward_contact = command.ward_contact
    if command.travel_minutes is not None:
        care.travel_minutes = command.travel_minutes
    return yes(sentence("{course}: contacts changed", course=course.id), course.id)


def _numbers(caregiver: tuple[Contact, ...]) -> set[tuple[str, str]]:
    """Where the caregiver is reached; another delay or another order makes nobody else of a person."""
    return {(contact.transport, replies.digits(contact.address)) for contact in caregiver}
