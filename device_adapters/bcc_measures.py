"""What one B. Braun Space pump said in one answer, parameter by parameter, as readings. Helper of `bbraun_bcc`.

INRT rate mL/h    INVI infused mL    INVOLACT left in the syringe mL
INM2 bolus   INM3 pumping   INM6 standby   INM7 data lock   INM8 0 battery, 1 mains   INM10 KVO
INA1 … alarms, 0 or 1: the table CONDITIONS
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from device_adapters.bounds import RATE_ML_H, VOLUME_ML, Bound, within
from device_adapters.envelope import Sent
from gateway.domain.readings import AlarmChange, AlarmsClear, Observation, Refusal, Refused
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, NotDeliveringReason, Power

Said = dict[bytes, bytes]  # parameter → value, as sent


class _Alarm(NamedTuple):
    condition: Condition
    text: str


# Two alarms may mean one condition. Where the vendor's word fits none of ours it is `other`, which calls as high.
CONDITIONS: Final[Mapping[int, _Alarm]] = MappingProxyType(
    {
        1: _Alarm(Condition.BATTERY_DEPLETED, "battery empty"),
        2: _Alarm(Condition.RESERVOIR_EMPTY, "syringe empty"),
        3: _Alarm(Condition.OCCLUSION, "pressure"),
        5: _Alarm(Condition.STOPPED_UNATTENDED, "standby over"),
        7: _Alarm(Condition.INFUSION_COMPLETE, "end of volume"),
        8: _Alarm(Condition.INFUSION_COMPLETE, "time over"),
        9: _Alarm(Condition.CASSETTE_DETACHED, "syringe"),
        11: _Alarm(Condition.BATTERY_LOW, "battery pre-alarm"),
        12: _Alarm(Condition.NEAR_END, "near-empty pre-alarm"),
        13: _Alarm(Condition.DOOR_OPEN, "door"),
        14: _Alarm(Condition.OTHER, "drop"),
        15: _Alarm(Condition.AIR_IN_LINE, "air"),
        16: _Alarm(Condition.INFUSION_COMPLETE, "KVO end"),
    }
)
PRE_ALARMS: Final = frozenset({Condition.BATTERY_LOW, Condition.NEAR_END})  # the pump goes on
BITS_MAX: Final = 32  # INA1 … INA32; a number above has never been seen, and is not read

_RATE, _INFUSED, _REMAINING = b"INRT", b"INVI", b"INVOLACT"
_BOLUS, _PUMPING, _STANDBY, _LOCK, _MAINS, _KVO = b"INM2", b"INM3", b"INM6", b"INM7", b"INM8", b"INM10"
_ALARMS: Final = {
    b"INA%d" % number: CONDITIONS.get(number) or _Alarm(Condition.OTHER, f"INA{number}") for number in range(1, BITS_MAX + 1)
}
_BITS_OF_STATE: Final = (_BOLUS, _PUMPING, _STANDBY, _LOCK, _MAINS, _KVO)
_MEASURES: Final = frozenset({_RATE, _INFUSED, _REMAINING, *_BITS_OF_STATE})
READ: Final = _MEASURES | frozenset(_ALARMS)
_NOTHING: Final = (None,) * 6

_ABSENT: Final = frozenset({b"_NV", b"_NA"})
_BITS: Final[dict[bytes | None, bool | None]] = {b"0": False, b"1": True, b"_NV": None, b"_NA": None, None: None}
_NUMBER: Final = re.compile(rb"-?\d{1,9}(?:\.\d{1,9})?")


def observation(said: Said, sent: Sent, refused: list[Refused], *, alarmed: bool) -> Observation | None:
    """What the pump measures and does; None where it said nothing of that. What cannot be read is refused and left out.

    INRT is the set rate; while the pump is pumping it is also what flows, and in a bolus or KVO nothing but that.
    """
    bits = {name: _bit(said.get(name), name, refused) for name in _BITS_OF_STATE}
    rate_ml_h = _number(said.get(_RATE), _RATE, RATE_ML_H, refused)
    status = _status(pumping=bits[_PUMPING], kvo=bits[_KVO])
    set_rate_ml_h = None if bits[_BOLUS] or bits[_KVO] else rate_ml_h
    infused_ml = _number(said.get(_INFUSED), _INFUSED, VOLUME_ML, refused)
    remaining_ml = _number(said.get(_REMAINING), _REMAINING, VOLUME_ML, refused)
    if (status, set_rate_ml_h, infused_ml, remaining_ml, bits[_MAINS], bits[_LOCK]) == _NOTHING:
        return None
    return Observation(
        observed_at=sent.observed_at,
        boot=sent.boot,
        seq=sent.seq,
        clock=sent.clock,
        delivery_status=status,
        not_delivering_reason=_reason(status, alarmed=alarmed, standby=bits[_STANDBY]),
        rate_ml_h=rate_ml_h if bits[_PUMPING] else None,
        set_rate_ml_h=set_rate_ml_h,
        infused_ml=infused_ml,
        remaining_ml=remaining_ml,
        power=None if bits[_MAINS] is None else Power.MAINS if bits[_MAINS] else Power.BATTERY,
        locked=bits[_LOCK],
    )


def alarms(said: Said, sent: Sent, refused: list[Refused], *, whole: bool) -> list[AlarmChange | AlarmsClear]:
    """`continue` for every condition with a set bit; those with none set are clear, where the answer was `whole`."""
    bits = {name: value for name, value in said.items() if name in _ALARMS}
    told = {name: _bit(value, name, refused) for name, value in bits.items() if value != b"0"}
    raised: dict[Condition, list[bytes]] = {}
    for name, active in told.items():
        if active:
            raised.setdefault(_ALARMS[name].condition, []).append(name)
    found: list[AlarmChange | AlarmsClear] = [_raised(condition, names, sent) for condition, names in raised.items()]
    clear = _conditions(tuple(bits))
    if told:
        not_clear = {_ALARMS[name].condition for name in told}
        clear = tuple(condition for condition in clear if condition not in not_clear)
    if whole and clear:
        found.append(AlarmsClear(observed_at=sent.observed_at, boot=sent.boot, seq=sent.seq, clock=sent.clock, conditions=clear))
    return found


@lru_cache(maxsize=256)  # a pump of one kind tells the same bits in every answer
def _conditions(bits: tuple[bytes, ...]) -> tuple[Condition, ...]:
    """What these bits stand for, each once."""
    return tuple(dict.fromkeys(_ALARMS[name].condition for name in bits))


def _raised(condition: Condition, names: list[bytes], sent: Sent) -> AlarmChange:
    return AlarmChange(
        observed_at=sent.observed_at,
        boot=sent.boot,
        seq=sent.seq,
        clock=sent.clock,
        condition=condition,
        phase=AlarmPhase.CONTINUE,
        code=names[0].decode(),
        text=", ".join(_ALARMS[name].text for name in names),
    )


def _status(*, pumping: bool | None, kvo: bool | None) -> DeliveryStatus | None:
    if kvo:
        return DeliveryStatus.KVO
    if pumping is None:
        return None
    return DeliveryStatus.DELIVERING if pumping else DeliveryStatus.NOT_DELIVERING


def _reason(status: DeliveryStatus | None, *, alarmed: bool, standby: bool | None) -> NotDeliveringReason | None:
    if status is not DeliveryStatus.NOT_DELIVERING:
        return None
    if alarmed:
        return NotDeliveringReason.ALARM
    return NotDeliveringReason.USER if standby else None


def _bit(value: bytes | None, name: bytes, refused: list[Refused]) -> bool | None:
    if value in _BITS:
        return _BITS[value]
    refused.append(Refused(Refusal.UNKNOWN_VALUE, name.decode(), "0, 1, _NV or _NA"))
    return None


def _number(value: bytes | None, name: bytes, bound: Bound, refused: list[Refused]) -> float | None:
    if value is None or value in _ABSENT:
        return None
    if _NUMBER.fullmatch(value) is None:
        refused.append(Refused(Refusal.WRONG_TYPE, name.decode(), "a decimal number"))
        return None
    number = float(value)
    if not within(number, bound):
        refused.append(Refused(Refusal.OUT_OF_BOUNDS, name.decode(), f"from {bound[0]:g} to {bound[1]:g}"))
        return None
    return number
