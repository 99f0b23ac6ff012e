"""The closed vocabularies of the field, spelt as they stand on the wire."""

from enum import StrEnum


class Priority(StrEnum):
    """How urgently a person is needed (IEC 60601-1-8); compare by `rank`."""

    INFORMATION = "information"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 information … 3 high."""
        return _RANKS[self]


_RANKS = {Priority.INFORMATION: 0, Priority.LOW: 1, Priority.MEDIUM: 2, Priority.HIGH: 3}


class DeliveryStatus(StrEnum):
    """What the pump says it does (MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS)."""

    DELIVERING = "delivering"
    TRANSITIONING = "transitioning"
    NOT_DELIVERING = "not-delivering"
    KVO = "kvo"


class NotDeliveringReason(StrEnum):
    """Why the pump says that it does not deliver (IHE PCD-10)."""

    ALARM = "alarm"
    USER = "user"
    CLINICIAN = "clinician"
    BETWEEN_DOSES = "between-doses"
    POWERED_OFF = "powered-off"
    UNSPECIFIED = "unspecified"


class Power(StrEnum):
    """What feeds the pump."""

    BATTERY = "battery"
    MAINS = "mains"


class ClockQuality(StrEnum):
    """Whether the sender's clock follows a reference."""

    SYNCED = "synced"
    FREE = "free"


class Condition(StrEnum):
    """Alarm conditions: what the pump says is wrong."""

    OCCLUSION_DOWNSTREAM = "occlusion-downstream"
    OCCLUSION_UPSTREAM = "occlusion-upstream"
    OCCLUSION = "occlusion"
    AIR_IN_LINE = "air-in-line"
    DOOR_OPEN = "door-open"
    CASSETTE_DETACHED = "cassette-detached"
    RESERVOIR_EMPTY = "reservoir-empty"
    RESERVOIR_LOW = "reservoir-low"
    INFUSION_COMPLETE = "infusion-complete"
    NEAR_END = "near-end"
    BATTERY_LOW = "battery-low"
    BATTERY_DEPLETED = "battery-depleted"
    BATTERY_FAULT = "battery-fault"
    UNDER_INFUSION = "under-infusion"
    OVER_INFUSION = "over-infusion"
    FREE_FLOW = "free-flow"
    STOPPED_UNATTENDED = "stopped-unattended"
    SYSTEM_FAULT = "system-fault"
    TEMPERATURE = "temperature"
    COMMUNICATION = "communication"
    OTHER = "other"


OCCLUSIONS = frozenset({Condition.OCCLUSION_DOWNSTREAM, Condition.OCCLUSION_UPSTREAM, Condition.OCCLUSION})


class AlarmPhase(StrEnum):
    """Where in its life an alarm condition is (IHE PCD-04, reduced to four)."""

    START = "start"
    CONTINUE = "continue"
    END = "end"
    INACTIVATED = "inactivated"


class PumpEventKind(StrEnum):
    """What happened at the pump (IHE PCD-10 and the bag's own life)."""

    DELIVERY_STARTED = "delivery-started"
    DELIVERY_STOPPED = "delivery-stopped"
    DELIVERY_COMPLETE = "delivery-complete"
    BAG_CHANGED = "bag-changed"
    PRIMED = "primed"
    RATE_CHANGED = "rate-changed"
    SETTINGS_CHANGED = "settings-changed"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    POWER_ON = "power-on"
    POWER_OFF = "power-off"
    BATTERY_CHANGED = "battery-changed"
    TIME_CHANGED = "time-changed"


class DiaryKind(StrEnum):
    """What a patient or caregiver may enter."""

    TEMPERATURE = "temperature"
    HANDWRITING = "handwriting"
    SYMPTOM = "symptom"
    NOTE = "note"


class Channel(StrEnum):
    """The last level of an MQTT topic (`raw` carries the adapter's name behind it)."""

    TELEMETRY = "telemetry"
    ALARM = "alarm"
    EVENT = "event"
    STATUS = "status"
    RAW = "raw"
    DIARY = "diary"


class DeliveryState(StrEnum):
    """Our own judgement of a course's delivery."""

    DELIVERING = "delivering"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"
    NOT_EXPECTED = "not-expected"

    @property
    def code(self) -> int:
        """The number kept beside the word in every time series: 0 … 3."""
        return _STATE_CODES[self]


_STATE_CODES = {
    DeliveryState.DELIVERING: 0,
    DeliveryState.INTERRUPTED: 1,
    DeliveryState.UNKNOWN: 2,
    DeliveryState.NOT_EXPECTED: 3,
}


class IncidentState(StrEnum):
    """Where an incident is in its life."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertPhase(StrEnum):
    """What our rule says."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class WhyPaged(StrEnum):
    """The named reason of a page: nobody is paged without one."""

    OPENED = "opened"
    RAISED = "raised"
    UNACKNOWLEDGED = "unacknowledged"
    MILESTONE = "milestone"
    NEW_ALERT = "new-alert"
    LEASE_ENDED = "lease-ended"
    SILENCE_ENDED = "silence-ended"
    ESCALATED = "escalated"
    STAFFING_GAP = "staffing-gap"
    UNREACHABLE = "unreachable"
    RESOLVED = "resolved"
    TEST = "test"


OF_NO_INCIDENT = frozenset({WhyPaged.UNREACHABLE, WhyPaged.TEST})  # nobody acknowledges such a page


class Outcome(StrEnum):
    """What became of one attempt to send a page."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"
    NO_RECEIPT = "no-receipt"
    WITHDRAWN = "withdrawn"
