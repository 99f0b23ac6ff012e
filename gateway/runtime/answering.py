"""What the recipient of a page may do about it, by its link or by a key of the telephone: take the incident, or pass it on."""

from enum import StrEnum

from gateway.domain.commands import Acknowledge, Escalate
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.words import IncidentState
from gateway.runtime.links import LinkedPage

TWICE_MS = MINUTE_MS  # passed on twice within so long: one press, sent or heard twice


class Wish(StrEnum):
    """What the recipient wants."""

    TAKE = "take"
    CANNOT = "cannot"


class WhyNot(StrEnum):
    """Why nothing is to be done."""

    OVER = "over"
    SOMEBODY_HAS_IT = "somebody-has-it"
    PASSED_ALREADY = "passed-already"


def wanted(page: LinkedPage, wish: Wish, at: Instant) -> Acknowledge | Escalate | WhyNot:
    """The command that this is, in the recipient's name; or why it is none. It never concerns another incident.

    Who cannot help does not take an incident away from somebody who has it.
    """
    line = page.incident
    if line.state is IncidentState.RESOLVED:
        return WhyNot.OVER
    if wish is Wish.TAKE:
        return Acknowledge(incident=line.key)
    if line.holder not in ("", page.person):
        return WhyNot.SOMEBODY_HAS_IT
    passed_at = passed_on_at(page)
    if passed_at is not None and at < passed_at + TWICE_MS:
        return WhyNot.PASSED_ALREADY
    return Escalate(incident=line.key)


def passed_on_at(page: LinkedPage) -> Instant | None:
    """When the recipient passed the incident on; None where that is not the last thing that anybody did about it."""
    done = [happening for happening in page.incident.history if happening.what in ("escalated", "acknowledged")]
    return done[-1].at if done and done[-1].what == "escalated" and done[-1].who == page.person else None
