"""What a rule's predicate may see of a course: read-only, and the same for live state, examples and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.diary import DiaryLine
from gateway.domain.instants import Instant
from gateway.domain.outlook import BagOutlook, BatteryOutlook, BrokerDrops, FoundInterruption, Rates, SettingChange, SilentPumps
from gateway.domain.words import Condition, DeliveryState, Priority


class Facet:
    """What may change about a course; a predicate names the facets that wake it. Plain bits, joined by `|`."""

    DELIVERY = 1
    CONDITIONS = 2
    HEARD = 4
    REFUSALS = 8
    INHIBITION = 16
    DIARY = 32
    BAG = 64
    BATTERY = 128
    RATES = 256
    VOLUME = 512
    SETTINGS = 1024
    SITE = 2048
    WATCHDOG = 4096
    BROKER = 8192
    ALL = 16383


@dataclass(frozen=True, slots=True)
class Judgement:
    """Our judgement of a course's delivery.

    `since` is when this state began as judged (back-dated where `estimated`); `evidence_at` is the observed time of what proved
    it; `cause` is a pump condition, a not-delivering reason, `silence`, or the reason why delivery is not expected.
    """

    state: DeliveryState
    since: Instant
    evidence_at: Instant
    cause: str = ""
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class ActiveCondition:
    """An alarm condition that the pump has not ended. Both priorities are shown: the device's own, and ours."""

    condition: Condition
    started_at: Instant
    device_priority: Priority | None
    priority: Priority
    stops_delivery: bool | None
    text: str


class CourseView(Protocol):
    """A course, its pump and our judgement, at one instant."""

    @property
    def at(self) -> Instant:
        """The instant of judging."""
        ...

    @property
    def judgement(self) -> Judgement:
        """The delivery judgement."""
        ...

    @property
    def conditions(self) -> Sequence[ActiveCondition]:
        """Active pump conditions, oldest first."""
        ...

    @property
    def enrolled_at(self) -> Instant:
        """When this pump was enrolled for this course."""
        ...

    @property
    def heard(self) -> bool:
        """Whether the pump was heard since."""
        ...

    @property
    def messages(self) -> tuple[int, int]:
        """(refused, all) messages of the last 5 minutes."""
        ...

    @property
    def unassigned(self) -> str:
        """The device's name where the view is of a pump without a course; empty otherwise."""
        ...

    @property
    def deaf_since(self) -> Instant | None:
        """Since when the gateway has had no broker session; None while it has one."""
        ...

    @property
    def inhibitions(self) -> frozenset[str]:
        """Names of what holds back rules now (`gateway-deaf`, `planned-window`, `site-silent`)."""
        ...

    @property
    def starts(self) -> Mapping[Condition, Sequence[Instant]]:
        """When each pump condition began, of the last 60 minutes, oldest first."""
        ...

    @property
    def found(self) -> Sequence[FoundInterruption]:
        """Interruptions that were over before we learnt of them, the longest first."""
        ...

    @property
    def bag(self) -> BagOutlook | None:
        """The bag that hangs and what comes of it; None where no delivery is expected."""
        ...

    @property
    def battery(self) -> BatteryOutlook | None:
        """The battery, where the pump runs on it."""
        ...

    @property
    def rates(self) -> Rates | None:
        """Rates, while the pump delivers."""
        ...

    @property
    def delivered_percent(self) -> int | None:
        """Delivered of prescribed volume over the last 2 h judged delivering; None before there are 2 h of it."""
        ...

    @property
    def settings(self) -> Sequence[SettingChange]:
        """What was done to the pump's settings, the newest of each kind."""
        ...

    @property
    def flows_unassigned_since(self) -> Instant | None:
        """Since when a pump without a course says that it delivers."""
        ...

    @property
    def diary(self) -> Sequence[DiaryLine]:
        """What the home wrote down, oldest first."""
        ...

    def wall(self, days: int, minute_of_day: int) -> Instant:
        """The instant of a local wall time, so many days after today (negative: before); DST-safe."""
        ...

    @property
    def silent_pumps(self) -> SilentPumps:
        """The site's silent pumps."""
        ...

    @property
    def watchdog_due_at(self) -> Instant | None:
        """By when the next heartbeat of the gateway's watchdog is due; None where the ward has no watchdog."""
        ...

    @property
    def broker_drops(self) -> BrokerDrops | None:
        """What the broker dropped lately; None where it has dropped nothing."""
        ...
