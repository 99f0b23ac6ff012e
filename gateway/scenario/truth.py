"""What really happens at a simulated home, kept apart from what its pump says: flow to the patient, and bags running dry."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.instants import HOUR_MS, Instant


class Cause(StrEnum):
    """Why nothing flows."""

    AIR = "air"
    OCCLUSION = "occlusion"
    DOOR = "door"
    CASSETTE = "cassette"
    SYSTEM_FAULT = "system-fault"
    STOPPED = "stopped by hand"
    BAG_EMPTY = "bag empty"
    BAG_CHANGE = "bag change"
    BATTERY = "battery empty"
    DIED = "pump died"


@dataclass(frozen=True, slots=True)
class TrueInterruption:
    """A stretch in which nothing reached the patient. `first_sign_at`: when the pump itself first said so; None: it never did.

    `link_up_at` is when the pump could next be heard after the end: before that nobody could be told.
    """

    since: Instant
    until: Instant
    cause: Cause
    first_sign_at: Instant | None
    link_up_at: Instant

    @property
    def length_ms(self) -> int:
        """How long nothing flowed."""
        return self.until - self.since


@dataclass(slots=True)
class TrueBag:
    """A bag as it really is. `empty_at`: when it ran dry; of one that was changed before, when it would have.

    `change_at`: when its change is planned. `spent_at`: when the pump, by its own count, gave up on it.
    """

    number: int
    hung_at: Instant
    fill_ml: float
    primed_ml: float
    ended_at: Instant = 0
    empty_at: Instant = 0
    change_at: Instant = 0
    spent_at: Instant = 0
    ran_dry: bool = False


@dataclass(slots=True)
class Truth:
    """The flow to one patient from `since` on, in mL and instants; `rate_ml_h` is the true rate while it flows."""

    rate_ml_h: float
    since: Instant
    flows: list[tuple[Instant, Instant]] = field(default_factory=list)
    interruptions: list[TrueInterruption] = field(default_factory=list)
    bags: list[TrueBag] = field(default_factory=list)
    losses: list[tuple[Instant, Instant]] = field(default_factory=list)
    alarms: dict[str, int] = field(default_factory=dict)
    delivered_ml: float = 0.0
    until: Instant = 0
    _flow_since: Instant | None = None
    _stopped_at: Instant | None = None
    _cause: Cause = Cause.STOPPED
    _sign_at: Instant | None = None
    _lost_at: Instant | None = None

    def start(self, at: Instant) -> None:
        """The infusion begins."""
        self._flow_since = at

    def flow(self, *, since: Instant, until: Instant, ml: float, flows: bool, cause: Cause) -> None:
        """From `since` to `until` the pump moved `ml` to the patient; whether it flows now, and why not if not."""
        self.delivered_ml += ml
        if self._flow_since is not None:
            flowed_until = since + round(ml / self.rate_ml_h * HOUR_MS)
            if until - flowed_until > 1 or not flows:
                self._stop(min(flowed_until, until), cause)
        if flows and self._flow_since is None:
            self._flow_again(until)

    def note_sign(self, at: Instant) -> None:
        """The pump itself says that it does not deliver."""
        if self._stopped_at is not None and self._sign_at is None:
            self._sign_at = max(at, self._stopped_at)

    def link(self, at: Instant, *, up: bool) -> None:
        """The pump can, or cannot, be heard from now on."""
        if not up and self._lost_at is None:
            self._lost_at = at
        elif up and self._lost_at is not None:
            self.losses.append((self._lost_at, at))
            self._lost_at = None

    def end(self, at: Instant) -> None:
        """The course is over: what is open is closed."""
        self.until = at
        if self._flow_since is not None:
            self.flows.append((self._flow_since, at))
            self._flow_since = None
        else:
            self._flow_again(at)
            self._flow_since = None
        self.link(at, up=True)
        self.interruptions = [self._heard_of(item) for item in self.interruptions]

    def count(self, what: str) -> None:
        """One more of these happened."""
        self.alarms[what] = self.alarms.get(what, 0) + 1

    @property
    def flowing(self) -> bool:
        """Whether the drug reaches the patient."""
        return self._flow_since is not None

    def _stop(self, at: Instant, cause: Cause) -> None:
        if self._flow_since is not None and at > self._flow_since:
            self.flows.append((self._flow_since, at))
        self._flow_since, self._stopped_at, self._cause, self._sign_at = None, at, cause, None

    def _flow_again(self, at: Instant) -> None:
        if self._stopped_at is not None and at > self._stopped_at:
            self.interruptions.append(TrueInterruption(self._stopped_at, at, self._cause, self._sign_at, at))
        self._flow_since, self._stopped_at = at, None

    def _heard_of(self, item: TrueInterruption) -> TrueInterruption:
        """With the end of the loss of connection in which the interruption ended."""
        link_up_at = max([item.until, *(until for since, until in self.losses if since <= item.until < until)])
        return TrueInterruption(item.since, item.until, item.cause, item.first_sign_at, link_up_at)
