"""People, contacts, schedules and policies, as the escalation sees them. Built from the ward file by `gateway.config`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.domain.instants import Instant
from gateway.domain.locale import Locale


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach a person: tried `after_ms` the step that pages the person."""

    transport: str
    address: str
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be paged; contacts in the order of trying, `locale` the language of the texts."""

    id: str
    contacts: tuple[Contact, ...]
    locale: Locale = Locale.EN


@dataclass(frozen=True, slots=True)
class Rotation:
    """People take turns; each turn lasts `every_days` and starts at the local handover time.

    `first_handover` is local wall time, `YYYY-MM-DDTHH:MM`; before it nobody is on call.
    """

    every_days: int
    first_handover: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A rotation that counts in some hours of some days only.

    Minutes are local wall time, counted from the midnight that begins the day; `until_minute` is exclusive, and beyond 1440 it
    lies on the next day: 20:00-08:00 is (1200, 1920). `days` are the weekdays on which the hours begin, Monday is 0.
    """

    rotation: Rotation
    from_minute: int = 0
    until_minute: int = 1440
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Shift:
    """An exact stretch of duty: an override, or an occurrence from a calendar. `until` is exclusive."""

    from_at: Instant
    until_at: Instant
    person: str


class Calendar(Protocol):
    """Duties from a calendar: a value, equal to another of the same content. It ends where its events end, never before."""

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is ever on duty in it, each once."""
        ...

    def shifts(self, from_at: Instant, until_at: Instant) -> tuple[Shift, ...]:
        """All duties that overlap [from_at, until_at), whole, in the order of their starts. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who is on call when.

    Overrides first (the later entry wins), then the calendar, then the layers (the later one wins), then the rotation.
    """

    name: str
    timezone: str
    rotation: Rotation | None = None
    overrides: tuple[Shift, ...] = ()
    layers: tuple[Layer, ...] = ()
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to page, and how long to wait for an acknowledgement before the next step.

    Targets: `person:x`, `schedule:x`, `all:team`, `caregiver`.
    """

    targets: tuple[str, ...]
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Policy:
    """An escalation policy. Without steps it is board-only.

    After the last step has waited it starts again at `repeat_from` (0-based), two such starts at least `repeat_every_ms` apart.
    """

    name: str
    steps: tuple[Step, ...] = ()
    repeat_from: int | None = None
    repeat_every_ms: int = 0
    ack_lease_ms: int = 0
    milestone_targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts of `rule` go to the incident of `policy` instead of the course's default one. First match wins."""

    rule: str
    policy: str


@dataclass(frozen=True, slots=True)
class TransportFacts:
    """What the core must know of a transport; how to reach it is the shell's business."""

    name: str
    kind: str
    voice: bool = False
    two_way: bool = False
    receipts: bool = False
    receipt_deadline_ms: int = 0


@dataclass(frozen=True, slots=True)
class Synthetic:
    """The gateway's own test: `pump` serves no patient and raises an alarm; `person` is paged, and takes it within `within_ms`.

    It happens every `every_ms`; None: only when somebody asks for it.
    """

    pump: str
    person: str
    within_ms: int
    every_ms: int | None = None


@dataclass(frozen=True, slots=True)
class WatchedBy:
    """The watchdog on another host: the device under whose name its heartbeats come, missing after `silent_ms` without one."""

    device: str
    silent_ms: int


@dataclass(frozen=True, slots=True)
class Ward:
    """One site's people and policies. `policies` holds the priorities' policies and the routes' by name.

    `home_locale` is the language of the homes: of reminders and pages to caregivers.
    """

    site: str
    timezone: str
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    fallback: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    transports: Mapping[str, TransportFacts] = field(default_factory=dict)
    base_url: str = ""
    home_locale: Locale = Locale.EN
    synthetic: Synthetic | None = None
    watchdog: WatchedBy | None = None
