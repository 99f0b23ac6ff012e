"""What the time-series store holds: every measurement with its tags and its typed fields, each with its unit and meaning.

The one declaration: the writer refuses what is not in it, the dashboards may use nothing else, and docs/time-series.md is made
from it. A field's type can never change: the store refuses every later point of another type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class FieldType(Enum):
    """FLOAT: measures. INT: flags (0 or 1), codes, counts, instants. TEXT: words, with a code beside those that matter."""

    FLOAT = "float"
    INT = "int"
    TEXT = "text"


FLOAT, INT, TEXT = FieldType.FLOAT, FieldType.INT, FieldType.TEXT


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `unit` is empty for words."""

    type: FieldType
    unit: str
    means: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Tags (indexed, so never free text) and fields of one measurement, in the order in which they are written.

    `when`: at which occasions a point is written.
    """

    when: str
    tags: tuple[str, ...]
    fields: Mapping[str, Field]


def _measure(unit: str, means: str) -> Field:
    return Field(FLOAT, unit, means)


def _count(means: str) -> Field:
    return Field(INT, "count", means)


def _flag(means: str) -> Field:
    return Field(INT, "0 or 1", means)


def _code(means: str) -> Field:
    return Field(INT, "code", means)


def _instant(means: str) -> Field:
    return Field(INT, "ms since 1970", means)


def _length(means: str) -> Field:
    return Field(INT, "ms", means)


def _word(means: str) -> Field:
    return Field(TEXT, "", means)


_OF_A_COURSE = ("site", "device", "course")
_DELIVERY = {
    "state": _word("our judgement: delivering, interrupted, unknown, not-expected"),
    "code": _code("the same as a number: 0, 1, 2, 3"),
}
_RANKED = {
    "priority": _word("high, medium, low"),
    "rank": _code("the same as a number: 3, 2, 1; 0 for none"),
}

_PUMP_MEASURES = {
    "rate_ml_h": _measure("mL/h", "rate as the pump reports it"),
    "set_rate_ml_h": _measure("mL/h", "rate as set at the pump"),
    "infused_ml": _measure("mL", "volume that the pump counts as infused"),
    "remaining_ml": _measure("mL", "volume that the pump counts as left in the bag"),
    "battery_percent": _measure("%", "charge"),
    "pressure_mmhg": _measure("mmHg", "pressure in the line"),
    "bag_weight_g": _measure("g", "weight of the bag, from a scale beside the pump"),
}
MEASURES = tuple(_PUMP_MEASURES)

_PUMP = Measurement(
    "each observation of a pump, at its own time",
    _OF_A_COURSE,
    {
        **_PUMP_MEASURES,
        "on_battery": _flag("the pump runs on its battery"),
        "delivering": _flag("the pump says that it delivers"),
    },
)
_PUMP_ALARM = Measurement(
    "each alarm message of a pump",
    (*_OF_A_COURSE, "alarm", "priority"),
    {
        "active": _flag("the condition is there"),
        "began": _flag("this message says that it begins"),
        "text": _word("the pump's own words"),
    },
)
_DELIVERY_POINT = Measurement(
    "each change of the judgement, and every 5 min as it stands",
    _OF_A_COURSE,
    {**_DELIVERY, "interruption_s": _measure("s", "length of the present interruption so far; 0 for none")},
)
_INTERRUPTION = Measurement(
    "within 5 min of each change; stands at the instant at which delivery stopped",
    (*_OF_A_COURSE, "cause"),
    {
        "length_s": _measure("s", "its length; 0 when a late word showed that there was none"),
        "until": _instant("when delivery went on; so far, while it is open"),
        "estimated": _flag("its beginning is an estimate"),
        "open": _flag("it goes on"),
    },
)
_COURSE = Measurement(
    "every 5 min for each running course",
    _OF_A_COURSE,
    {
        **_DELIVERY,
        "silent": _flag("its pump has not been heard within its promise"),
        "heard_at": _instant("when its pump was heard last"),
        "worst_s": _measure("s", "interruption and unknown time together, if nothing flowed"),
        "limit_at": _instant("when that reaches the protocol's limit"),
        "bag": _word("kind of the bag that hangs"),
        "bag_hung_at": _instant("since when it hangs"),
        "bag_change_at": _instant("when its change is planned"),
        "bag_expires_at": _instant("when it expires"),
        "bag_empty_early_at": _instant("forecast: empty not before"),
        "bag_empty_at": _instant("forecast: most likely empty"),
        "bag_empty_late_at": _instant("forecast: empty not after"),
        "battery_empty_at": _instant("forecast; absent on mains"),
        "incidents": _count("open incidents"),
        "pages": _count("pages decided about it since the point before, but for those that say that all is well again"),
        "watched_s": _measure("s", "time that this point stands for; with `pages`: pages per patient-week"),
    },
)
# A priority and a state are fields where they change within one life (alert, incident): as tags, each change would begin a new
# series and leave the old one standing at its last value.
_ALERT = Measurement(
    "each change of an alert",
    (*_OF_A_COURSE, "rule", "alarm"),
    {
        "state": _word("pending, firing, resolved"),
        "code": _code("the same as a number: resolved 0, pending 1, firing 2"),
        **_RANKED,
    },
)
_INCIDENT = Measurement(
    "each change of an incident, and every 5 min while it is open",
    ("site", "course", "policy"),
    {
        "state": _word("triggered, acknowledged, resolved"),
        "code": _code("the same as a number: resolved 0, acknowledged 1, triggered 2"),
        **_RANKED,
        "incident": _word("its key, by which the console shows it"),
        "latency_ms": _length("its age"),
        "holder": _word("who has it; empty for nobody"),
        "cause": _word("the most urgent of its alerts"),
        "acked_ms": _length("its age when somebody first took it; on that point only"),
        "resolved_ms": _length("its age at its end; on that point only"),
    },
)
_PAGE = Measurement(
    "each page when it is decided, and when a transport took or refused it",
    ("site", "course", "to", "by", "why", "rule"),
    {
        "latency_ms": _length("from the decision to this outcome"),
        "ok": _flag("the transport took it; absent when it is decided"),
        "outcome": _word("decided, accepted, delivered, rejected, no-receipt, withdrawn"),
        "off_hours": _flag("decided outside Monday to Friday, 08:00 to 18:00 local time; on that point only"),
    },
)
_TRANSPORT = Measurement(
    "every minute in which a transport was used",
    ("site", "by"),
    {
        "accepted": _count("attempts that the provider took, since the point before; the same for all of these"),
        "delivered": _count("receipts that the message arrived"),
        "rejected": _count("refused for good"),
        "temporary": _count("failed for now, to be tried again"),
        "unknown": _count("nobody can tell"),
        "no_receipt": _count("a promised receipt did not come"),
    },
)
_GATEWAY = Measurement(
    "every minute",
    ("site",),
    {
        "records": _count("journal records judged since the start"),
        "lag_records": _count("records that are durable and not yet judged"),
        "store_lag_records": _count("records whose points the store has not yet"),
        "lines_written": _count("lines that the store took since the start"),
        "poisoned": _count("lines that it never will, since the start"),
        "refused": _count("readings that were refused since the start"),
        "pumps": _count("pumps known"),
        "pumps_silent": _count("pumps not heard within their promise"),
        "incidents_open": _count("open incidents"),
        "pages_waiting": _count("pages in hand"),
        "pages_accepted": _count("attempts that a provider took, since the start"),
        "pages_failed": _count("attempts that failed, since the start"),
        "ready": _flag("it hears, stores, judges and can page"),
        "connected": _flag("it has a session with the broker"),
        "findings": _count("what people should know of it"),
        "watchdog_s": _measure("s", "since the watchdog on another host was heard; absent without one"),
    },
)

SCHEMA: Mapping[str, Measurement] = MappingProxyType(
    {
        "pump": _PUMP,
        "pump_alarm": _PUMP_ALARM,
        "delivery": _DELIVERY_POINT,
        "interruption": _INTERRUPTION,
        "course": _COURSE,
        "alert": _ALERT,
        "incident": _INCIDENT,
        "page": _PAGE,
        "transport": _TRANSPORT,
        "gateway": _GATEWAY,
    }
)
