"""The words of the medical device nomenclature (ISO/IEEE 11073-10101, MDC) that infusion pumps use, and what they mean to us.

Matching is by REFID first and by number second: real senders put `0` ("pending") or a number ten times too large beside the
right REFID. Numbers are context-free codes, partition x 65 536 + term; only those read in a public source stand here.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from gateway.domain.words import (
    AlarmPhase,
    Condition,
    DeliveryStatus,
    NotDeliveringReason,
    Power,
    Priority,
    PumpEventKind,
)

EVT_ALARM: Final = "MDC_EVT_ALARM"
EVENT_PHASE: Final = "MDC_ATTR_EVENT_PHASE"
ALARM_STATE: Final = "MDC_ATTR_ALARM_STATE"
INACTIVATION_STATE: Final = "MDC_ATTR_ALARM_INACTIVATION_STATE"
ALARM_PRIORITY: Final = "MDC_ATTR_ALARM_PRIORITY"
ALERT_SOURCE: Final = "MDC_ATTR_ALERT_SOURCE"
ALERT_TEXT: Final = "MDC_ATTR_ALERT_TEXT"
EVT_COND: Final = "MDC_ATTR_EVT_COND"
SYS_ID: Final = "MDC_ATTR_SYS_ID"
INFUSING_STATUS: Final = "MDC_PUMP_INFUSING_STATUS"
DELIVERY_STATUS: Final = "MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS"
NOT_DELIVERING_REASON: Final = "MDC_DEV_PUMP_NOT_DELIVERING_REASON"
ACTIVE_SOURCES: Final = "MDC_DEV_PUMP_ACTIVE_SOURCES"
DRUG_NAME: Final = "MDC_DRUG_NAME_LABEL"
FLOW_CURRENT: Final = "MDC_FLOW_FLUID_PUMP_CURRENT"
FLOW_SET: Final = "MDC_FLOW_FLUID_PUMP"
DELIVERED_TOTAL: Final = "MDC_VOL_FLUID_DELIV_TOTAL"
REMAINING: Final = "MDC_VOL_FLUID_TBI_REMAIN"
BATTERY: Final = "MDC_ATTR_VAL_BATT_CHARGE"
POWER_STATUS: Final = "MDC_ATTR_POWER_STAT"
SOURCE_PREFIX: Final = "MDC_DEV_PUMP_INFUSATE_SOURCE_"
PUMP_PREFIXES: Final = ("MDC_DEV_PUMP", "MDC_PUMP_", "MDC_EVT_PUMP_", "MDC_FLOW_FLUID_PUMP", "MDC_VOL_FLUID_")
PUMP_DEVICE_PREFIX: Final = "MDC_DEV_PUMP_"
DEVICE_PREFIX: Final = "MDC_DEV_"

NUMBERS: Final[Mapping[int, str]] = {
    67925: POWER_STATUS,
    67972: SYS_ID,
    67996: BATTERY,
    68480: ALERT_SOURCE,
    68481: EVENT_PHASE,
    68482: ALARM_STATE,
    68483: INACTIVATION_STATE,
    68484: ALARM_PRIORITY,
    68487: EVT_COND,
    68546: ALERT_TEXT,
    69965: "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS",
    69985: "MDC_DEV_PUMP_INFUS_MDS",
    69986: "MDC_DEV_PUMP_INFUS_VMD",
    70049: "MDC_DEV_PUMP_INFUS_LVP_MDS",
    70050: "MDC_DEV_PUMP_INFUS_LVP_VMD",
    70053: "MDC_DEV_PUMP_INFUS_SYRINGE_MDS",
    70054: "MDC_DEV_PUMP_INFUS_SYRINGE_VMD",
    70067: "MDC_DEV_PUMP_DELIVERY_INFO",
    70071: "MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY",
    157784: FLOW_SET,
    157872: REMAINING,
    157993: DELIVERED_TOTAL,
    158005: DELIVERY_STATUS,
    158006: NOT_DELIVERING_REASON,
    158014: FLOW_CURRENT,
    158016: ACTIVE_SOURCES,
    184514: DRUG_NAME,
    184519: INFUSING_STATUS,
    196616: EVT_ALARM,
    196670: "MDC_EVT_LO",
    196688: "MDC_EVT_OCCL",
    196800: "MDC_EVT_BATT_FAIL",
    196802: "MDC_EVT_BATT_LO",
    196804: "MDC_EVT_BATT_MALF",
    196842: "MDC_EVT_DOOR_OR_HANDLE_POSN_PROB",
    196860: "MDC_EVT_FLUID_LINE_PROB",
    196940: "MDC_EVT_FLUID_LINE_OCCL",
    196950: "MDC_EVT_FLOW_LO",
    197206: "MDC_EVT_PUMP_FLOW_FREE",
    197218: "MDC_EVT_SYRINGE_BARREL_CAPTURE_FAULT",
    197288: "MDC_EVT_PUMP_DELIV_START",
    197292: "MDC_EVT_PUMP_DELIV_COMP",
    197334: "MDC_EVT_VOL_INFUS_NEAR_COMP",
    202774: "MDC_EVT_STAT_STANDBY_MODE",
    202828: "MDC_EVT_STAT_DOOR_OPEN",
    203286: "MDC_EVT_ADVIS_BATT_REPLACE",
}

# Anything else stays `other` under its REFID, and so counts as high where the pump states no priority.
CONDITIONS: Final[Mapping[str, Condition]] = {
    "MDC_EVT_OCCL": Condition.OCCLUSION,
    "MDC_EVT_FLUID_LINE_OCCL": Condition.OCCLUSION,
    "MDC_EVT_FLUID_LINE_OCCL_DISTAL": Condition.OCCLUSION_DOWNSTREAM,
    "MDC_EVT_FLUID_LINE_OCCL_PROXIMAL": Condition.OCCLUSION_UPSTREAM,
    "MDC_EVT_FLUID_LINE_AIR": Condition.AIR_IN_LINE,
    "MDC_EVT_DOOR_POSN_ERR": Condition.DOOR_OPEN,
    "MDC_EVT_DOOR_OR_HANDLE_POSN_PROB": Condition.DOOR_OPEN,
    "MDC_EVT_STAT_DOOR_OPEN": Condition.DOOR_OPEN,
    "MDC_EVT_CHECK_IV_SET": Condition.CASSETTE_DETACHED,
    "MDC_EVT_SYRINGE_BARREL_CAPTURE_FAULT": Condition.CASSETTE_DETACHED,
    "MDC_EVT_BATT_LO": Condition.BATTERY_LOW,
    "MDC_EVT_ADVIS_BATT_REPLACE": Condition.BATTERY_LOW,
    "MDC_EVT_BATT_DEPL": Condition.BATTERY_DEPLETED,
    "MDC_EVT_BATT_FAIL": Condition.BATTERY_FAULT,
    "MDC_EVT_BATT_MALF": Condition.BATTERY_FAULT,
    "MDC_EVT_BATT_SERV": Condition.BATTERY_FAULT,
    "MDC_EVT_MALF": Condition.SYSTEM_FAULT,
    "MDC_EVT_FLOW_LO": Condition.UNDER_INFUSION,
    "MDC_EVT_FLOW_HI": Condition.OVER_INFUSION,
    "MDC_EVT_FLOW_STOP_OPEN": Condition.FREE_FLOW,
    "MDC_EVT_PUMP_FLOW_FREE": Condition.FREE_FLOW,
    "MDC_EVT_VOL_INFUS_NEAR_COMP": Condition.NEAR_END,
    "MDC_EVT_VOL_INFUS_COMP": Condition.INFUSION_COMPLETE,
    "MDC_EVT_PUMP_DELIV_COMP": Condition.INFUSION_COMPLETE,
    "MDC_EVT_STAT_STANDBY_MODE": Condition.STOPPED_UNATTENDED,
    "MDC_EVT_COMM_STATUS_CHANGE": Condition.COMMUNICATION,
}

EVENTS: Final[Mapping[str, PumpEventKind]] = {
    "MDC_EVT_PUMP_DELIV_START": PumpEventKind.DELIVERY_STARTED,
    "MDC_EVT_PUMP_DELIV_STOP": PumpEventKind.DELIVERY_STOPPED,
    "MDC_EVT_PUMP_DELIV_COMP": PumpEventKind.DELIVERY_COMPLETE,
    "MDC_EVT_PUMP_PROG_CLEARED": PumpEventKind.SETTINGS_CHANGED,
    "MDC_EVT_PUMP_AUTO_PROG_CLEARED": PumpEventKind.SETTINGS_CHANGED,
    "MDC_EVT_PUMP_VOL_COUNTERS_CLEARED": PumpEventKind.SETTINGS_CHANGED,
    "MDC_EVT_PATIENT_CHANGE": PumpEventKind.SETTINGS_CHANGED,
    "MDC_EVT_PATIENT_ID_CHANGE": PumpEventKind.SETTINGS_CHANGED,
    "MDC_EVT_PATIENT_PARAMETER_CHANGE": PumpEventKind.SETTINGS_CHANGED,
    "MDC_EVT_DEVICE_TIME_CHANGED": PumpEventKind.TIME_CHANGED,
}
SETTINGS: Final[Mapping[str, str]] = {  # which setting it was; whose patient is not ours to know
    "MDC_EVT_PUMP_PROG_CLEARED": "program",
    "MDC_EVT_PUMP_AUTO_PROG_CLEARED": "program",
    "MDC_EVT_PUMP_VOL_COUNTERS_CLEARED": "volume",
    "MDC_EVT_PATIENT_CHANGE": "patient",
    "MDC_EVT_PATIENT_ID_CHANGE": "patient",
    "MDC_EVT_PATIENT_PARAMETER_CHANGE": "patient",
}
COMM_STATUS_CHANGE: Final = "MDC_EVT_COMM_STATUS_CHANGE"
COMM_STATUS: Final = "COMM_STATUS"  # in the REFID of the result that says which way it changed
COMM_WORDS: Final[Mapping[str, bool]] = {  # the end of `pump-comm-status-...`: whether the pump is reached
    "online": True,
    "on-line": True,
    "connected": True,
    "offline": False,
    "off-line": False,
    "disconnected": False,
    "not-connected": False,
}

PHASES: Final[Mapping[str, AlarmPhase]] = {
    "tpoint": AlarmPhase.START,  # no end will follow; a person clears it: better than never shown
    "start": AlarmPhase.START,
    "start_only": AlarmPhase.START,
    "continue": AlarmPhase.CONTINUE,
    "present": AlarmPhase.CONTINUE,
    "update": AlarmPhase.CONTINUE,
    "escalate": AlarmPhase.CONTINUE,
    "deescalate": AlarmPhase.CONTINUE,
    "end": AlarmPhase.END,
    "stop": AlarmPhase.END,
    "reset": AlarmPhase.END,
    "acknowledged": AlarmPhase.INACTIVATED,
    "inactivate": AlarmPhase.INACTIVATED,
    "inactivated": AlarmPhase.INACTIVATED,
}
STATES: Final[Mapping[str, AlarmPhase]] = {  # read where the phase is missing or unknown
    "active": AlarmPhase.CONTINUE,
    "latched": AlarmPhase.CONTINUE,
    "inactive": AlarmPhase.END,
    "off": AlarmPhase.END,
}
INACTIVATIONS: Final = frozenset({"audio-paused", "audio-off", "alarm-paused", "alarm-off", "acknowledged"})
PRIORITIES: Final[Mapping[str, Priority]] = {
    "PN": Priority.INFORMATION,
    "PL": Priority.LOW,
    "PM": Priority.MEDIUM,
    "PH": Priority.HIGH,
}
DELIVERY_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "pump-delivery-status-delivering": DeliveryStatus.DELIVERING,
    "pump-delivery-status-not-delivering": DeliveryStatus.NOT_DELIVERING,
    "pump-delivery-status-transitioning": DeliveryStatus.TRANSITIONING,
    "pump-delivery-status-kvo": DeliveryStatus.KVO,
    "pump-status-infusing": DeliveryStatus.DELIVERING,
    "pump-status-not-infusing": DeliveryStatus.NOT_DELIVERING,
}
STOP_REASONS: Final[Mapping[str, NotDeliveringReason]] = {  # the end of `pump-stopped-…`; others are unspecified
    "alarming": NotDeliveringReason.ALARM,
    "user": NotDeliveringReason.USER,
    "clinician": NotDeliveringReason.CLINICIAN,
    "between-doses": NotDeliveringReason.BETWEEN_DOSES,
    "powered-off": NotDeliveringReason.POWERED_OFF,
}
POWERS: Final[Mapping[str, Power]] = {"onbattery": Power.BATTERY, "onmains": Power.MAINS}

# Factors to mL/h, mL and %; by number, by REFID and by UCUM, each in lower case. No unit at all means the profile's own.
RATE_UNITS: Final[Mapping[str, float]] = {
    "": 1.0,
    "265266": 1.0,
    "mdc_dim_milli_l_per_hr": 1.0,
    "ml/h": 1.0,
    "ml/hr": 1.0,
    "mdc_dim_milli_l_per_min": 60.0,
    "ml/min": 60.0,
    "mdc_dim_micro_l_per_hr": 0.001,
    "ul/h": 0.001,
}
VOLUME_UNITS: Final[Mapping[str, float]] = {
    "": 1.0,
    "263762": 1.0,
    "mdc_dim_milli_l": 1.0,
    "ml": 1.0,
    "mdc_dim_x_l": 1000.0,
    "mdc_dim_l": 1000.0,
    "l": 1000.0,
    "mdc_dim_micro_l": 0.001,
    "ul": 0.001,
}
PERCENT_UNITS: Final[Mapping[str, float]] = {"": 1.0, "262688": 1.0, "mdc_dim_percent": 1.0, "%": 1.0}

CODES_CACHED: Final = 4_096  # a pump uses about 50; beyond it the least used is read again
CODED_CHARS_CACHED: Final = 128  # longer ones are read each time, so that the cache stays small

_REFIDS: Final = frozenset({*NUMBERS.values(), *CONDITIONS, *EVENTS, COMM_STATUS_CHANGE})
_REFID = re.compile(r"MDCX?_[A-Z0-9_]{1,60}")


def refid(coded: str) -> str:
    """The REFID of a coded value `number^REFID^MDC`, however damaged: known REFID, then known number, then any REFID; or ''."""
    return _refid(coded) if len(coded) > CODED_CHARS_CACHED else _cached_refid(coded)


def _refid(coded: str) -> str:
    parts = [part.strip() for part in coded.split("^", 6)[:6]]
    spelled = [part.upper() for part in parts]
    for word in spelled:
        if word in _REFIDS:
            return word
        if f"MDC_{word}" in _REFIDS:
            return f"MDC_{word}"
    for word in (parts[0], parts[3] if len(parts) > 3 else ""):
        if word.isascii() and word.isdigit() and len(word) <= 9 and int(word) in NUMBERS:
            return NUMBERS[int(word)]
    return next((word for word in spelled if _REFID.fullmatch(word)), "")


_cached_refid = lru_cache(maxsize=CODES_CACHED)(_refid)
