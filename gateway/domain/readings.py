"""What a decoder makes of a message: readings, or named refusals.

A reading's `observed_at` is the sender's own time; `received_at` belongs to the record that carried it.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.instants import Instant
from gateway.domain.words import (
    AlarmPhase,
    ClockQuality,
    Condition,
    DeliveryStatus,
    DiaryKind,
    NotDeliveringReason,
    Power,
    Priority,
    PumpEventKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What every reading carries: the sender's time, and its place in the sender's numbering.

    `boot` changes at each start of the device; `seq` rises by one a message within a boot; both may be absent. `beside`: told by
    something beside the pump (a relay contact, a mains sensor, a scale), which goes on speaking when the pump is dead.
    """

    observed_at: Instant
    boot: str | None = None
    seq: int | None = None
    clock: ClockQuality = ClockQuality.SYNCED
    beside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Stamped):
    """One telemetry message. Every measure may be absent; at least one is present.

    `bag_weight_g` comes from a scale under the bag, in grams: the bridge's word, not the pump's.
    """

    delivery_status: DeliveryStatus | None = None
    not_delivering_reason: NotDeliveringReason | None = None
    rate_ml_h: float | None = None
    set_rate_ml_h: float | None = None
    infused_ml: float | None = None
    remaining_ml: float | None = None
    battery_percent: float | None = None
    power: Power | None = None
    pressure_mmhg: float | None = None
    locked: bool | None = None
    bag_weight_g: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChange(Stamped):
    """An alarm condition starts, goes on, ends or is inactivated.

    `priority` is the device's own; None where it sent none. `stops_delivery` is None where telemetry must decide.
    """

    condition: Condition
    phase: AlarmPhase
    priority: Priority | None = None
    stops_delivery: bool | None = None
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsClear(Stamped):
    """None of these alarm conditions is active, whether or not one was: a device that is polled tells so in every answer."""

    conditions: tuple[Condition, ...]

    def ends(self) -> "tuple[AlarmChange, ...]":
        """The same, condition by condition."""
        return tuple(
            AlarmChange(
                observed_at=self.observed_at,
                boot=self.boot,
                seq=self.seq,
                clock=self.clock,
                beside=self.beside,
                condition=condition,
                phase=AlarmPhase.END,
            )
            for condition in self.conditions
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpEvent(Stamped):
    """Something happened at the pump. Volumes in mL; `shift_s` is a time change in seconds."""

    event: PumpEventKind
    reason: NotDeliveringReason | None = None
    transitioning: bool = False
    bag_ml: float | None = None
    bag: str | None = None
    primed_ml: float | None = None
    rate_ml_h: float | None = None
    setting: str | None = None
    shift_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryEntry(Stamped):
    """What the patient or caregiver wrote."""

    entry: DiaryKind
    temperature_c: float | None = None
    changed: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeHealth:
    """What a bridge says of itself; what it cannot know is None.

    `findings` are what is wrong, `name: words with the mend`; `silent` its devices that say nothing on their lines. `waiting`
    frames are not with the broker yet, `dropped` ones were given up by a full spool, `garbled` were no frames; `holdover_s` is
    how long ago its clock last followed a reference.
    """

    findings: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    waiting: int | None = None
    spool_percent: float | None = None
    dropped: int | None = None
    garbled: int | None = None
    holdover_s: int | None = None
    disk_free_mib: int | None = None
    temperature_c: float | None = None
    under_voltage: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus(Stamped):
    """The device that holds the MQTT connection is there, or its Last Will says that it is not; a bridge tells its health."""

    online: bool
    bridge: BridgeHealth | None = None


PumpWord = Observation | AlarmChange | AlarmsClear | PumpEvent
Reading = PumpWord | DiaryEntry | LinkStatus


class Refusal(StrEnum):
    """Why a message was not decoded. Kept raw in the journal all the same, and counted under this name."""

    BAD_TOPIC = "bad-topic"
    TOO_LARGE = "too-large"
    EMPTY = "empty"
    NOT_UTF8 = "not-utf8"
    NOT_JSON = "not-json"
    NOT_AN_OBJECT = "not-an-object"
    TOO_MANY = "too-many"
    MISSING_FIELD = "missing-field"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_VALUE = "unknown-value"
    OUT_OF_BOUNDS = "out-of-bounds"
    BAD_TIME = "bad-time"
    NO_MEASURE = "no-measure"
    UNKNOWN_ADAPTER = "unknown-adapter"
    LENGTH = "length"
    BAD_CHECKSUM = "bad-checksum"
    NOT_A_PUMP = "not-a-pump"
    UNKNOWN_MESSAGE = "unknown-message"
    MALFORMED = "malformed"
    RETAINED = "retained"


@dataclass(frozen=True, slots=True)
class Refused:
    """One message (or one object of an array) that could not be decoded.

    `where` says which part (`[3].rate_ml_h`, `MSH-9`); `detail` the mend. Neither repeats the payload: it may hold names.
    """

    reason: Refusal
    where: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that one MQTT message gave: readings in the order of the payload, and what was refused.

    `one_message`: the readings share one (boot, seq), which is the message's; else each stands for a message of its own.
    """

    readings: tuple[Reading, ...] = ()
    refused: tuple[Refused, ...] = ()
    one_message: bool = False
