"""Builds HL7 v2 messages for tests, from the format's description and not from the decoder. Everything is text until `wire`."""

from collections.abc import Sequence

ENDS = "\r"

# number^REFID^MDC of what the tests send, as the profiles print it
ALARM = "196616^MDC_EVT_ALARM^MDC"
SOURCE = "68480^MDC_ATTR_ALERT_SOURCE^MDC"
PHASE = "68481^MDC_ATTR_EVENT_PHASE^MDC"
STATE = "68482^MDC_ATTR_ALARM_STATE^MDC"
INACTIVATION = "68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC"
PRIORITY = "68484^MDC_ATTR_ALARM_PRIORITY^MDC"
EVENT = "68487^MDC_ATTR_EVT_COND^MDC"
PUMP_MDS = "70049^MDC_DEV_PUMP_INFUS_LVP_MDS^MDC"
PUMP_VMD = "70050^MDC_DEV_PUMP_INFUS_LVP_VMD^MDC"
SYS_ID = "67972^MDC_ATTR_SYS_ID^MDC"
INFUSING = "184519^MDC_PUMP_INFUSING_STATUS^MDC"
STATUS = "158005^MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS^MDC"
REASON = "158006^MDC_DEV_PUMP_NOT_DELIVERING_REASON^MDC"
FLOW = "158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC"
SET_FLOW = "157784^MDC_FLOW_FLUID_PUMP^MDC"
INFUSED = "157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC"
REMAINING = "157872^MDC_VOL_FLUID_TBI_REMAIN^MDC"
BATTERY = "67996^MDC_ATTR_VAL_BATT_CHARGE^MDC"
DRUG = "184514^MDC_DRUG_NAME_LABEL^MDC"
ML_H = "265266^MDC_DIM_MILLI_L_PER_HR^MDC^mL/h^mL/h^UCUM"
ML = "263762^MDC_DIM_MILLI_L^MDC^mL^mL^UCUM"
PERCENT = "262688^MDC_DIM_PERCENT^MDC^%^%^UCUM"
OCCLUSION = "196940^MDC_EVT_FLUID_LINE_OCCL^MDC"
STARTED = "197288^MDC_EVT_PUMP_DELIV_START^MDC"


def segment(name: str, fields: dict[int, str]) -> str:
    """`name` with its fields by number; empty fields between, none behind the last."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def msh(trigger: str, *, time: str = "20260302080000+0800", version: str = "2.6") -> str:
    """A header. MSH-1 is the separator itself and MSH-2 the other delimiters: the first field written out is MSH-3."""
    fields = {3: "GW^0011^EUI-64", 7: time, 9: trigger, 10: "id1", 11: "P", 12: version}
    return "|".join(["MSH", "^~\\&", *(fields.get(number, "") for number in range(3, 13))])


def pid(family: str = "Testperson", given: str = "Nobody") -> str:
    """A patient's segment, with a name that must never come out."""
    return segment("PID", {3: "X12345^^^H^PI", 5: f"{family}^{given}^^^^^L"})


def obr(*, time: str = "20260302075958+0800", code: str = "") -> str:
    """An order; OBR-7 is when it was observed."""
    return segment("OBR", {1: "1", 3: "77^GW", 4: code, 7: time})


def obx(
    code: str,
    value: str,
    *,
    place: str = "1.1.1.1",
    unit: str = "",
    flags: str = "",
    status: str = "R",
    time: str = "",
    equipment: str = "",
) -> str:
    """A result."""
    fields = {1: "1", 3: code, 4: place, 5: value, 6: unit, 8: flags, 11: status, 14: time, 18: equipment}
    return segment("OBX", {number: text for number, text in fields.items() if text})


def device(code: str = PUMP_MDS, *, place: str = "1.0.0.0", equipment: str = "") -> str:
    """A row that names a device and carries no value."""
    return obx(code, "", place=place, status="X", equipment=equipment)


def wire(*segments: str, ends: str = ENDS) -> bytes:
    """The message's bytes."""
    return "".join(text + ends for text in segments).encode()


def alarm(condition: str, facets: Sequence[tuple[str, str]], **extra: str) -> tuple[str, ...]:
    """OBX segments of one alarm: the condition, its source, then facets."""
    return (
        obx(ALARM, condition, place="1.0.0.0.1", status="F", **extra),
        obx(SOURCE, PUMP_MDS, place="1.0.0.0.2", status="F"),
        *(obx(code, value, place=f"1.0.0.0.{n}", status="F") for n, (code, value) in enumerate(facets, start=3)),
    )


def alarm_message(
    condition: str = OCCLUSION,
    facets: Sequence[tuple[str, str]] = ((PHASE, "start"), (STATE, "active")),
    **extra: str,
) -> bytes:
    """A whole PCD-04."""
    return wire(msh("ORU^R40^ORU_R40"), pid(), "PV1||I|Ward 3^1", obr(code=ALARM), *alarm(condition, facets, **extra))


def status_message(*extra: str, status: str = "delivering", rate: str = "0.6", trigger: str = "ORU^R01^ORU_R01") -> bytes:
    """A whole PCD-01 of a pump that delivers 0.6 mL/h."""
    return wire(
        msh(trigger),
        pid(),
        obr(),
        device(),
        device(PUMP_VMD, place="1.1.0.0"),
        obx(STATUS, f"^pump-delivery-status-{status}", place="1.1.2.1"),
        obx(FLOW, rate, unit=ML_H, place="1.1.1.2"),
        obx(SET_FLOW, "0.60", unit=ML_H, place="1.1.2.4"),
        obx(INFUSED, "12.40", unit=ML, place="1.1.2.7"),
        obx(REMAINING, "88.40", unit=ML, place="1.1.2.8"),
        obx(BATTERY, "81", unit=PERCENT, place="1.0.0.7"),
        obx(DRUG, "Secretumab", place="1.1.2.10"),
        *extra,
    )
