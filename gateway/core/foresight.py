"""What would happen next to an incident: if nobody did anything, or if somebody gave a command now. Told before a button is used.

The command is carried out, and time is let pass, by the very functions that decide in earnest, on copies that are thrown away.
Nothing new is assumed to happen meanwhile: what fires goes on firing and nobody answers.
"""

from copy import deepcopy
from dataclasses import dataclass, replace

from gateway.core import escalation, silences
from gateway.core.context import Context
from gateway.core.incident_state import Incident
from gateway.core.incidents import News
from gateway.core.obey import obey
from gateway.core.state import Course, Pump, Subject
from gateway.core.store import State
from gateway.domain.commands import Command
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import Instant
from gateway.domain.sentences import Sentence
from gateway.domain.words import IncidentState, WhyPaged

LOOKS_MAX = 50  # decisions looked ahead; a policy pages long before. What lies behind them is not told


@dataclass(frozen=True, slots=True)
class Coming:
    """The next pages that time alone would bring: when, to whom by what, and why."""

    at: Instant
    people: tuple[tuple[str, str], ...]
    why: WhyPaged


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a command would do now. Refused: `said` says why, and nothing else is told.

    `paged` are the people and transports that get a page at once, `told` those who hear that it is over. Somebody would have the
    incident until `held_until`; then `coming`, if anything still fires.
    """

    ok: bool
    said: Sentence | None = None
    paged: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    held_until: Instant | None = None
    coming: Coming | None = None


def foresee(state: State, key: str, who: str, command: Command | None, at: Instant) -> Foreseen | None:
    """What would become of the open incident `key` if `who` gave this command at `at`; with None, if nobody did anything.

    None where it is not open. Changes nothing.
    """
    subject = state.peek_at(key)
    if subject is None or all(incident.key != key for incident in subject.open.values()):
        return None
    aside = _aside(state, subject)
    copied = aside.peek(subject.id)
    incident = next((one for one in copied.open.values() if one.key == key), None) if copied is not None else None
    if copied is None or incident is None:
        return None
    now = Context(aside.ward, aside.protocols, aside.rules, aside.desk, at, 0, courses=aside.courses)
    if command is not None:
        done = obey(aside, who, command, now)
        if not done.ok:
            return Foreseen(ok=False, said=done.said)
    if incident.state is not IncidentState.RESOLVED:
        escalation.decide(copied, incident, News(), now)
    return _told(copied, incident, now, done.said if command is not None else None)


def _told(subject: Subject, incident: Incident, now: Context, said: Sentence | None) -> Foreseen:
    pages = [effect for effect in now.effects if isinstance(effect, Page) and effect.incident == incident.key]
    held = incident.ack if incident.state is IncidentState.ACKNOWLEDGED and incident.restart_at is None else None
    return Foreseen(
        ok=True,
        said=said,
        paged=_people([page for page in pages if page.why is not WhyPaged.RESOLVED]),
        told=tuple(dict.fromkeys(page.person for page in pages if page.why is WhyPaged.RESOLVED)),
        held_until=held.until_at if held is not None else None,
        coming=_coming(subject, incident, now),
    )


def _coming(subject: Subject, incident: Incident, now: Context) -> Coming | None:
    """Let time pass until somebody is paged."""
    for _ in range(LOOKS_MAX):
        if incident.state is IncidentState.RESOLVED:
            return None
        due_at = _due(subject, incident, now.at)
        if due_at is None:
            return None
        now = replace(now, at=max(due_at, now.at), effects=[])
        escalation.decide(subject, incident, News(), now)
        pages = _pages(now.effects)
        if pages:
            return Coming(now.at, _people(pages), pages[0].why)
    return None


def _due(subject: Subject, incident: Incident, at: Instant) -> Instant | None:
    dues = [escalation.next_due(incident), silences.next_end(subject, at) if isinstance(subject, Course) else None]
    return min((due_at for due_at in dues if due_at is not None), default=None)


def _pages(effects: list[Effect]) -> list[Page]:
    return [effect for effect in effects if isinstance(effect, Page) and effect.why is not WhyPaged.RESOLVED]


def _people(pages: list[Page]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((page.person, page.transport) for page in pages))


def _aside(state: State, subject: Subject) -> State:
    """A state in which this subject and its pump may be changed freely; what is read only is shared, reply codes are left out."""
    memo = {id(shared): shared for incident in subject.open.values() for shared in _shared(incident)}
    memo |= {id(closed): closed for closed in subject.closed}
    copied = deepcopy(subject, memo)
    aside = State(
        ward=state.ward, protocols=state.protocols, rules=state.rules, desk=replace(state.desk, codes={}, corrections={})
    )
    aside.courses, aside.sites, aside.pumps = dict(state.courses), dict(state.sites), {}
    if isinstance(copied, Course):
        aside.courses[copied.id] = copied
        key = f"{copied.site}/{copied.pump}"
        aside.pumps[key] = deepcopy(state.pumps[key]) if key in state.pumps else Pump(copied.site, copied.pump)
    else:
        aside.sites = {**state.sites, copied.id: copied}  # type: ignore[dict-item]  # a subject is a course or a site
    return aside


def _shared(incident: Incident) -> list[object]:
    """What of an incident nothing ever changes."""
    return [*incident.history, *incident.policies.values()]
