"""Whom to reach about a course, and who signed that it may begin."""

from gateway.core.bags import AHEAD_MAX_MS
from gateway.core.context import Context
from gateway.core.done import Done, no, not_running, running, yes
from gateway.core.store import State
from gateway.domain.care import ChangeContacts
from gateway.domain.commands import Enrol
from gateway.domain.ward import Contact
from rules.model import Protocol

CONTACTS_MAX = 5
ADDRESS_MAX = 200
TRAVEL_MINUTES_MAX = 24 * 60


def checklist_refusal(command: Enrol, protocol: Protocol, now: Context) -> str:
    """Why this patient may not begin at home yet; empty when nothing is missing, or somebody says why all the same."""
    for signed in command.checklist:
        if protocol.checklist and signed.item not in protocol.checklist:
            return f"the checklist of {protocol.name} has no item {signed.item!r}; it has: {', '.join(protocol.checklist)}"
        if not signed.by.strip():
            return f"checklist: nobody signed {signed.item!r}"
        if signed.at > now.at + AHEAD_MAX_MS:
            return f"checklist: {signed.item!r} cannot have been signed in the future"
    if command.override_reason.strip():
        return ""
    have = {signed.item for signed in command.checklist}
    missing = [item for item in protocol.checklist if item not in have] if command.checklist else []
    if missing:
        return f"the checklist is not complete: {', '.join(missing)} not signed; complete it, or give a reason to override"
    if not command.checklist_complete:
        return "the checklist is not complete; complete it, or give a reason to override"
    return ""


def refusal(caregiver: tuple[Contact, ...], travel_minutes: int | None, now: Context) -> str:
    """Why these contacts cannot be; empty when they can."""
    if len(caregiver) > CONTACTS_MAX:
        return f"a caregiver has at most {CONTACTS_MAX} contacts"
    for contact in caregiver:
        if contact.transport not in now.ward.transports:
            return f"the ward has no transport {contact.transport!r}; it has: {', '.join(sorted(now.ward.transports))}"
        if not 0 < len(contact.address.strip()) <= ADDRESS_MAX or contact.after_ms < 0:
            return f"the caregiver's {contact.transport} needs an address, and a delay that is not negative"
    if travel_minutes is not None and not 0 <= travel_minutes <= TRAVEL_MINUTES_MAX:
        return "travel to the hospital takes from 0 to 1440 minutes"
    return ""


def change(state: State, command: ChangeContacts, now: Context) -> Done:
    """Other contacts from now on."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    wrong = refusal(command.caregiver or (), command.travel_minutes, now)
    if wrong:
        return no(wrong)
    care = course.care
    if command.caregiver is not None:
        care.caregiver = command.caregiver
    if command.ward_contact is not None:
        care.ward_contact = command.ward_contact
    if command.travel_minutes is not None:
        care.travel_minutes = command.travel_minutes
    return yes(f"{course.id}: contacts changed", course.id)
