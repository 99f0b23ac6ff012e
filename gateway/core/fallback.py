"""Where the steps of a policy find nobody: who stands behind them."""

from gateway.core.context import Context
from gateway.core.incident_state import Incident
from gateway.core.paging import page_people
from gateway.core.state import Subject
from gateway.domain.effects import Page
from gateway.domain.words import WhyPaged


def page_gap(subject: Subject, incident: Incident, context: Context) -> None:
    """Nobody is on call for a step: the fallback hears of it, once an incident."""
    if incident.gap_paged:
        return
    incident.gap_paged = True
    page_people(subject, incident, context.people(context.ward.fallback), WhyPaged.STAFFING_GAP, context)


def ask_fallback(subject: Subject, incident: Incident, every_ms: int, why: WhyPaged, context: Context) -> None:
    """No step finds anybody, now or when the policy repeats: the fallback is asked instead, every `every_ms`, until one does.

    Where the fallback cannot be reached either, everybody whom the ward can reach.
    """
    if incident.fallback_at is not None and context.at < incident.fallback_at + every_ms:
        return
    incident.fallback_at = context.at
    pages = (effect for effect in context.effects if isinstance(effect, Page) and effect.incident == incident.key)
    if any(page.why is WhyPaged.STAFFING_GAP for page in pages):
        return  # it has just been told that nobody is on call
    everybody = (person for person in context.ward.people.values() if context.contacts(person))
    people = context.people(context.ward.fallback) or tuple(everybody)
    if people:
        incident.step_round = page_people(subject, incident, people, why, context)
