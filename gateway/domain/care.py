"""What people record about a treatment after its start: bags on order, windows, doses, pumps, breaks, calls, silences.

Lengths in ms, instants in ms since 1970. Everything that is refused is refused in words by `gateway.core`.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.instants import Instant
from gateway.domain.ward import Contact


class WindowKind(StrEnum):
    """Why things may look odd for a while. During a hospital stay the hospital's own pump gives the drug."""

    BAG_CHANGE = "bag-change"
    HOSPITAL_VISIT = "hospital-visit"
    HOSPITAL_STAY = "hospital-stay"


class Seen(StrEnum):
    """What the person on the phone saw at the pump; nothing, where nobody looked."""

    NOTHING = ""
    RUNNING = "running"
    STANDING = "standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One item of the eligibility and training checklist: who signed it, and when."""

    item: str
    by: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeContacts:
    """Whom to reach about a course. What is None stays as it is; an empty `caregiver` takes the contacts away."""

    course: str
    caregiver: tuple[Contact, ...] | None = None
    ward_contact: str | None = None
    travel_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBag:
    """The pharmacy was asked for a bag of this kind, ready at `ready_at`. A later order takes the place of an earlier one."""

    course: str
    bag: str
    ready_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """A planned window from now until `until_at`, or for `for_ms`: exactly one of the two."""

    course: str
    kind: WindowKind
    for_ms: int | None = None
    until_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWindow:
    """The window is over before its time."""

    course: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDose:
    """Another dose step of the protocol from now on. `override_reason`: why before its day."""

    course: str
    mcg_per_day: float
    override_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapPump:
    """Another pump serves the course from now on; the old one serves nobody."""

    course: str
    pump: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBreak:
    """The infusion days of this cycle are over. `reason`: why, where the protocol's days are not complete."""

    course: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCycle:
    """The break is over: a bag hangs, on `pump` (as before when empty). `override_reason`: why before the break's end."""

    course: str
    bag: str
    pump: str = ""
    primed_ml: float = 0.0
    planned_change_ms: int | None = None
    hung_at: Instant | None = None
    prepared_at: Instant | None = None
    rate_ml_h: float | None = None
    override_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCall:
    """Somebody called the home: `called` is who was spoken to, `seen` what that person saw at the pump, `advice` what was said.

    A pump seen running gives the caller the silence of that pump for `for_ms`, at most 4 h.
    """

    course: str
    called: str
    advice: str = ""
    seen: Seen = Seen.NOTHING
    for_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRules:
    """Mute these rules (all when empty) for a course from now on, until `until_at` or for `for_ms`: exactly one of the two."""

    course: str
    reason: str
    rules: tuple[str, ...] = ()
    for_ms: int | None = None
    until_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSilence:
    """The silence with this id is over before its time."""

    silence: str


CareCommand = (
    ChangeContacts
    | OrderBag
    | OpenWindow
    | CloseWindow
    | ChangeDose
    | SwapPump
    | StartBreak
    | NextCycle
    | LogCall
    | SilenceRules
    | EndSilence
)
