"""What an incident remembers: plain dataclasses, part of their subject's cell. Nothing here decides anything."""

from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.ward import Policy
from gateway.domain.words import IncidentState, Priority


@dataclass(slots=True)
class Told:
    """What a page says of an alert, and what to do first, in one language."""

    say: str
    first: str


@dataclass(slots=True)
class Note:
    """One alert as its incident carries it: enough to write a page about it, also after the rules changed.

    `began_at` is the observed time of what proved it; `muted_by` a silence or a window until `muted_until`, None while it speaks.
    `by_at` is the instant that it names beside `since`; `course` whose alert it is, where it joined its site's incident.
    `say` and `first` are English, `translated` has them in the other languages that the protocol speaks.
    """

    rule: str
    kind: str
    family: str
    priority: Priority
    since: Instant
    detail: str
    say: str
    first: str
    began_at: Instant = 0
    muted_until: Instant | None = None
    muted_by: str = ""
    by_at: Instant | None = None
    course: str = ""
    translated: dict[Locale, Told] = field(default_factory=dict)


@dataclass(slots=True)
class Ack:
    """A lease: `who` has it until `until_at`, at this priority and for these families of alerts.

    `seen_running`: a call proved that the silent pump runs, so that the silence alone may grow without calling anybody.
    """

    who: str
    at: Instant
    until_at: Instant
    priority: Priority
    families: list[str]
    seen_running: bool = False


@dataclass(slots=True)
class Attempt:
    """A contact of a person that is tried at `due_at` unless somebody has the incident by then."""

    person: str
    contact: int
    round: int
    due_at: Instant
    why: str


@dataclass(slots=True)
class Reached:
    """What one round did for one person: contacts that failed for good.

    From earlier rounds too: contacts that took a page, and whether anything may have reached the person (`perhaps`).
    """

    round: int
    contacts: int
    failed: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    perhaps: bool = False


@dataclass(slots=True)
class Outstanding:
    """A page whose outcome is not known yet."""

    transport: str
    why: str
    decided_at: Instant


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an incident's history. Never changed, so that front ends are shown the line itself: copies take long."""

    at: Instant
    what: str
    who: str = ""
    text: str = ""


@dataclass(slots=True)
class Incident:
    """What people own. `step` is the index of the step that was paged last; `peak` never falls while it is open.

    `spared` are contacts whose overdue page was merged into another one of the same person: tried only if that one fails.
    `quiet_at` is since when nothing fires; `stirring` while a pump condition of it is there again but not yet for long enough.
    `muted` while all its alerts are; `muted_by` is what muted it last (`silence`, `window`).
    """

    key: str
    subject: str
    route: str
    opened_at: Instant
    peak: Priority
    policies: dict[str, Policy]
    state: IncidentState = IncidentState.TRIGGERED
    alerts: dict[str, Note] = field(default_factory=dict)
    last_alerts: list[Note] = field(default_factory=list)
    round: int = 0
    step: int = -1
    step_round: int = 0
    next_step_at: Instant | None = None
    cycle_at: Instant | None = None
    attempts: list[Attempt] = field(default_factory=list)
    spared: list[Attempt] = field(default_factory=list)
    reached: dict[str, Reached] = field(default_factory=dict)
    ack: Ack | None = None
    restart_at: Instant | None = None
    quiet_at: Instant | None = None
    stirring: bool = False
    closed_at: Instant | None = None
    gap_paged: bool = False
    fallback_at: Instant | None = None  # when the fallback was asked last, because no step found anybody
    muted: bool = False
    muted_by: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    outstanding: dict[str, Outstanding] = field(default_factory=dict)
    history: list[Happening] = field(default_factory=list)
