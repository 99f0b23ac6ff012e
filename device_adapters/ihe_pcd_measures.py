"""The OBX segments of a pump: one result each, and the measures of an observation from all of them. A part of `ihe_pcd`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypedDict

from device_adapters import hl7, mdc
from device_adapters.bounds import PERCENT, RATE_ML_H, VOLUME_ML, Bound, within
from gateway.domain.readings import Refusal, Refused
from gateway.domain.words import DeliveryStatus, NotDeliveringReason, Power

_FIELDS: Final = 19  # OBX-0 to OBX-18; what stands behind them is not read
_NOTHING: Final = ("",) * _FIELDS
_STATUSES: Final = frozenset("FRXCPSDIUNWOB")  # OBX-11, HL7 table 85
_WITHOUT_VALUE: Final = frozenset("XDWN")  # no result, deleted, wrong, not asked
_NUMBER = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MEASURED: Final = frozenset({mdc.BATTERY, mdc.POWER_STATUS})


class Measures(TypedDict, total=False):
    """What stands in an Observation, by its field names."""

    delivery_status: DeliveryStatus
    not_delivering_reason: NotDeliveringReason
    rate_ml_h: float
    set_rate_ml_h: float
    infused_ml: float
    remaining_ml: float
    battery_percent: float
    power: Power


class Result(NamedTuple):
    """One OBX: `refid` names it (OBX-3), `place` is its containment (OBX-4), `time` OBX-14, `equipment` OBX-18."""

    refid: str
    place: str
    raw: str
    unit: str
    flags: str
    time: str
    equipment: str

    @classmethod
    def of(cls, segment: hl7.Segment) -> "Result":
        """Read a segment; where a pipe is missing and the result status stands in OBX-10, what follows moves back by one."""
        fields = segment.fields
        given = (*fields, *_NOTHING[len(fields) :])[:_FIELDS]
        if "~" in "".join(given):
            given = tuple(text.split("~", 1)[0] for text in given)
        coded, place, value, unit = map(str.strip, given[3:7])
        early, usual = given[10].strip(), given[11].strip()
        shifted = usual not in _STATUSES and early != "" and early in _STATUSES
        status, time, equipment = (early, given[13], given[17]) if shifted else (usual, given[14], given[18])
        return cls(
            mdc.refid(coded),
            place,
            "" if status in _WITHOUT_VALUE else value,
            unit,
            fields[8] if len(fields) > 8 else "",
            time.strip(),
            equipment.strip(),
        )

    @property
    def is_measure(self) -> bool:
        """True for what an Observation is made of."""
        return self.refid.startswith(mdc.PUMP_PREFIXES) or self.refid in _MEASURED

    @property
    def value(self) -> str:
        """The first component that says something: `^pump-status-infusing` and `start` alike."""
        if "^" not in self.raw:
            return self.raw
        return next((part for part in self.raw.split("^", 9) if part), "").strip()

    @property
    def value_refid(self) -> str:
        """The value as a nomenclature term; empty when it is none."""
        return mdc.refid(self.raw)

    @property
    def priorities(self) -> list[str]:
        """The flags of OBX-8 in upper case, all its repetitions."""
        return [flag.strip().upper() for flag in self.flags.split("~", 8)]

    @property
    def words(self) -> tuple[str, ...]:
        """The value's components in lower case."""
        return tuple(part.strip().lower() for part in self.raw.split("^", 9))

    def component(self, part: int) -> str:
        """Component `part` (from 1) of the value, unescaped."""
        return hl7.component(self.raw, part)


@dataclass(frozen=True, slots=True)
class _Quantity:
    units: Mapping[str, float]
    bound: Bound


_RATE = _Quantity(mdc.RATE_UNITS, RATE_ML_H)
_VOLUME = _Quantity(mdc.VOLUME_UNITS, VOLUME_ML)
_PERCENT = _Quantity(mdc.PERCENT_UNITS, PERCENT)


def read_measures(results: list[Result]) -> Measures | Refused:
    """The measures of one order; empty when there are none. The first impossible one refuses them all: they belong together."""
    by_name: dict[str, Result] = {}
    for result in _of_active_source(results):
        if result.raw:
            by_name.setdefault(result.refid, result)
    numbers: dict[str, float] = {}
    for name, refid, quantity in (
        ("rate_ml_h", mdc.FLOW_CURRENT, _RATE),
        ("set_rate_ml_h", mdc.FLOW_SET, _RATE),
        ("infused_ml", mdc.DELIVERED_TOTAL, _VOLUME),
        ("remaining_ml", mdc.REMAINING, _VOLUME),
        ("battery_percent", mdc.BATTERY, _PERCENT),
    ):
        if refid in by_name:
            number = _number(by_name[refid], quantity)
            if isinstance(number, Refused):
                return number
            numbers[name] = number
    measures = Measures(**numbers)  # type: ignore[typeddict-item]  # the names stand in the table above
    return _add_words(measures, by_name)


def _add_words(measures: Measures, by_name: Mapping[str, Result]) -> Measures | Refused:
    stated = by_name.get(mdc.DELIVERY_STATUS) or by_name.get(mdc.INFUSING_STATUS)
    if stated is not None:
        status = next((mdc.DELIVERY_STATUSES[word] for word in stated.words if word in mdc.DELIVERY_STATUSES), None)
        if status is None:
            return Refused(Refusal.UNKNOWN_VALUE, "OBX-5", f"{stated.refid}: delivering, not-delivering, transitioning, kvo")
        measures["delivery_status"] = status
    if mdc.NOT_DELIVERING_REASON in by_name:
        measures["not_delivering_reason"] = _stop_reason(by_name[mdc.NOT_DELIVERING_REASON])
    if mdc.POWER_STATUS in by_name:
        power = next((mdc.POWERS[word] for word in by_name[mdc.POWER_STATUS].words if word in mdc.POWERS), None)
        if power is not None:
            measures["power"] = power
    return measures


def _stop_reason(result: Result) -> NotDeliveringReason:
    """`pump-stopped-by-clinician`, `pump-stopped-user` and the like; any other word is a reason that we do not know."""
    ends = (word.removeprefix("pump-stopped-").removeprefix("by-") for word in result.words)
    return next((mdc.STOP_REASONS[end] for end in ends if end in mdc.STOP_REASONS), NotDeliveringReason.UNSPECIFIED)


def _of_active_source(results: list[Result]) -> list[Result]:
    """Without the channels of sources that do not run now, where the pump says which do: a piggyback is not the main line."""
    active = {
        word.rpartition("-")[2] for result in results if result.refid == mdc.ACTIVE_SOURCES for word in result.words if word
    }
    if not active:
        return results
    idle = {
        result.place.rpartition(".")[0]
        for result in results
        if result.refid.startswith(mdc.SOURCE_PREFIX) and result.refid.removeprefix(mdc.SOURCE_PREFIX).lower() not in active
    }
    return [result for result in results if result.place.rpartition(".")[0] not in idle]


def _number(result: Result, quantity: _Quantity) -> float | Refused:
    if _NUMBER.fullmatch(text := result.value) is None:
        return Refused(Refusal.WRONG_TYPE, "OBX-5", f"{result.refid}: a number")
    factor = quantity.units.get(result.unit.partition("^")[0] or result.unit)  # nearly all send the number; else by every part
    if factor is None:
        units = [part.strip().lower() for part in result.unit.split("^", 6)]
        factor = next((quantity.units[unit] for unit in units if unit and unit in quantity.units), None)
        if factor is None and any(units):
            return Refused(Refusal.UNKNOWN_VALUE, "OBX-6", f"{result.refid}: in a unit that is not ours to guess")
    number = float(text) * (1.0 if factor is None else factor)
    if not within(number, quantity.bound):
        return Refused(Refusal.OUT_OF_BOUNDS, "OBX-5", f"{result.refid}: {quantity.bound[0]:g} to {quantity.bound[1]:g}")
    return number
