"""What rules may know of a course beyond this moment: bag, battery, rates, what the pump told. Plain values.

Everything about the future is a forecast and never a measurement.
"""

from dataclasses import dataclass

from gateway.domain.instants import Instant


@dataclass(frozen=True, slots=True)
class BagOutlook:
    """The bag that hangs: empty between `early_at` and `late_at`, most likely at `central_at`; all None where nothing flows.

    `needed_at` is when the next bag must be there; None when the infusion days end first. `ordered`: the pharmacy makes it.
    """

    planned_change_at: Instant
    early_at: Instant | None = None
    central_at: Instant | None = None
    late_at: Instant | None = None
    expires_at: Instant | None = None
    needed_at: Instant | None = None
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class BatteryOutlook:
    """A pump on battery: its last word, and when it will be empty. `learnt`: by its own fall, else by the maker's figure."""

    percent: float
    empty_at: Instant
    learnt: bool


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates in mL/h: as prescribed for this bag, as set on the pump, as the pump delivers. None: not told since it delivers."""

    prescribed_ml_h: float
    set_ml_h: float | None
    current_ml_h: float | None


@dataclass(frozen=True, slots=True)
class FoundInterruption:
    """An interruption that was over before we learnt of it, at `noted_at`. `cause`: a pump condition, or "silence"."""

    since: Instant
    until: Instant
    noted_at: Instant
    cause: str = ""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """What was done to the pump: `unlocked`, `settings`, `time-changed` by `shift_s`. Observed by its clock, noted by ours."""

    kind: str
    observed_at: Instant
    noted_at: Instant
    detail: str = ""
    shift_s: float | None = None


@dataclass(frozen=True, slots=True)
class SilentPumps:
    """A site's pumps that are silent: when each fell silent, earliest first, of how many that are watched."""

    since: tuple[Instant, ...] = ()
    watched: int = 0


@dataclass(frozen=True, slots=True)
class BrokerDrops:
    """Messages that the broker dropped in one go: how many, when its count first rose, and when it last did."""

    since: Instant
    at: Instant
    count: int
