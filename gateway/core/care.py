"""What people have recorded about a course besides its bag and its pump. Plain data; nothing here decides anything."""

from dataclasses import dataclass

from gateway.domain.care import Seen, Signed, WindowKind
from gateway.domain.instants import Instant
from gateway.domain.ward import Contact

SILENCES_MAX = 20  # running at once on one course; one more is refused
CALLS_MAX = 50  # the oldest go; the journal keeps them all
CYCLES_MAX = 20
BAGS_MAX = 20  # that hung before the present one; the journal keeps them all


@dataclass(slots=True)
class Window:
    """A planned window that runs. `heard_at`: a pump that says nothing after that fell silent inside the window."""

    kind: WindowKind
    from_at: Instant
    until_at: Instant
    who: str
    heard_at: Instant


@dataclass(slots=True)
class Silence:
    """Rules that people mute (all when empty), with reason and end."""

    id: str
    rules: tuple[str, ...]
    from_at: Instant
    until_at: Instant
    who: str
    reason: str


@dataclass(slots=True)
class Order:
    """A bag that the pharmacy makes."""

    bag: str
    by: str
    ordered_at: Instant
    ready_at: Instant


@dataclass(slots=True)
class Call:
    """A call to the home. `until_at`: how long a pump that was seen running counts as looked after."""

    at: Instant
    who: str
    called: str
    advice: str
    seen: Seen
    until_at: Instant


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle that is over: how long it infused, was interrupted, and was not known to do either."""

    number: int
    started_at: Instant
    ended_at: Instant
    infused_ms: int
    interrupted_ms: int
    unknown_ms: int


@dataclass(frozen=True, slots=True)
class PastBag:
    """A bag that hung until another took its place, or the cycle was over. Volume in mL; `told_by` as of the bag that hangs."""

    kind: str
    hung_at: Instant
    until_at: Instant
    primed_ml: float
    told_by: str


@dataclass(slots=True)
class Care:
    """What a course carries besides its bag and its pump. Empty tuples where there is nothing: they cost no memory.

    `break_at` is when the present break began. `expected_from` is the end of the last time without expected delivery,
    `paired_at` when the present pump took over; both 0 until there was one.
    """

    caregiver: tuple[Contact, ...] = ()
    ward_contact: str = ""
    travel_minutes: int | None = None
    checklist: tuple[Signed, ...] = ()
    override_reason: str = ""
    dose_mcg_per_day: float | None = None
    window: Window | None = None
    silences: tuple[Silence, ...] = ()
    order: Order | None = None
    calls: tuple[Call, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    bags: tuple[PastBag, ...] = ()
    cycle_started_at: Instant = 0
    break_at: Instant | None = None
    expected_from: Instant = 0
    paired_at: Instant = 0
    seen_running_at: Instant = 0
