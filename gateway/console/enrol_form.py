"""The form by which a course begins, as the command that API and command line send."""

from collections.abc import Iterator

from gateway.console.course_forms import (
    ADDRESS_MAX,
    BAG,
    CHANGE,
    DOSE_MAX_MCG,
    HUNG,
    MINUTES_MAX,
    PREPARED,
    PRIMED,
    PUMP,
    RATE,
    RATE_MAX_ML_H,
    TRAVEL,
    VOLUME_MAX_ML,
    WARD_CONTACT,
    contacts,
)
from gateway.console.fields import Fields
from gateway.console.words import message
from gateway.domain.care import Signed
from gateway.domain.commands import Enrol
from gateway.domain.instants import Instant
from rules.model import Protocol

CYCLES_MAX = 1_000


def enrolment(fields: Fields, protocol: Protocol, now: Instant) -> Enrol:
    """The command. An item counts as signed once somebody's name stands beside it; without a time it was signed now."""
    signed = tuple(_signed(fields, protocol, now))
    return Enrol(
        course=fields.needed("course", message("Pseudonym")),
        pump=fields.needed("pump", PUMP),
        protocol=protocol.name,
        bag=fields.needed("bag", BAG),
        primed_ml=fields.number("primed_ml", PRIMED, VOLUME_MAX_ML) or 0.0,
        planned_change_ms=fields.length_ms("planned_change", CHANGE),
        cycle=fields.whole("cycle", message("Cycle"), CYCLES_MAX) or 1,
        hung_at=fields.moment("hung_at", HUNG),
        prepared_at=fields.moment("prepared_at", PREPARED),
        rate_ml_h=fields.number("rate_ml_h", RATE, RATE_MAX_ML_H),
        dose_mcg_per_day=fields.number("mcg_per_day", message("Dose (mcg a day)"), DOSE_MAX_MCG),
        caregiver=tuple(contacts(fields)),
        ward_contact=fields.text("ward_contact", WARD_CONTACT, ADDRESS_MAX),
        travel_minutes=fields.whole("travel_minutes", TRAVEL, MINUTES_MAX),
        checklist=signed,
        checklist_complete=not protocol.checklist or bool(signed),  # an empty list on paper is no word that it is complete
        override_reason=fields.text("reason", message("Why it begins with an incomplete checklist")),
    )


def _signed(fields: Fields, protocol: Protocol, now: Instant) -> Iterator[Signed]:
    for number, item in enumerate(protocol.checklist):
        by = fields.text(f"signed_by{number}", message("Signed by"), 64)
        if by:
            at = fields.moment(f"signed_at{number}", message("Signed at"))
            yield Signed(item=item, by=by, at=now if at is None else at)
