"""What a rule's predicate may see of a course: read-only, and the same for live state, examples and tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.instants import Instant
from gateway.domain.words import Condition, DeliveryState, Priority


class Facet:
    """What may change about a course; a predicate names the facets that wake it. Plain bits, joined by `|`."""

    DELIVERY = 1
    CONDITIONS = 2
    HEARD = 4
    REFUSALS = 8
    INHIBITION = 16
    ALL = 31


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
        """Names of what holds back rules now (`gateway-deaf`, `planned-window`)."""
        ...
