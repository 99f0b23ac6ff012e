r"""IHE PCD: infusion pumps that speak HL7 v2 by the profiles DEC (PCD-01), ACM (PCD-04) and IPEC (PCD-10).

    MSH|^~\&|…|20260302080000+0800||ORU^R40^ORU_R40|…                      R01 observations, R40 alarm, R42 pump event
    PID|…  PV1|…                                                           names: never read into anything
    OBR|1|…|196616^MDC_EVT_ALARM^MDC|||20260302080000+0800                 OBR-7 observed at
    OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|196940^MDC_EVT_FLUID_LINE_OCCL^MDC|…
    OBX|n|NM|158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC|1.1.1.2|0.6|265266^MDC_DIM_MILLI_L_PER_HR^MDC|…

Content decides, not the trigger: an OBX MDC_EVT_ALARM makes an AlarmChange, MDC_ATTR_EVT_COND a PumpEvent (COMM_STATUS_CHANGE a
LinkStatus), and measures beside them an Observation. Times: OBX-14, else OBR-7, else MSH-7, so that an event that waited in a
buffer has its own; a time without an offset takes that of MSH-7. Whose pump it is: `device_adapters.ihe_pcd_identity`.

Quirks read all the same: see `device_adapters.hl7` (line ends) and `device_adapters.mdc` (codes); a missing pipe that moves the
result status from OBX-11 to OBX-10; priority as a number (`20`: no priority); priority missing.

Refuses: what `hl7.parse` refuses; UNKNOWN_MESSAGE (not ORU); NOT_A_PUMP (a monitor); TOO_MANY (two pumps under one device);
BAD_TIME; NO_MEASURE; MISSING_FIELD (alarm without phase and state); UNKNOWN_VALUE; WRONG_TYPE; OUT_OF_BOUNDS.
Source: IHE PCD Technical Framework volumes 2 and 3; tests/captures/ihe_pcd
"""

from collections.abc import Callable
from itertools import pairwise

from device_adapters import hl7, mdc
from device_adapters.bounds import NAME_CHARS_MAX, plain_text
from device_adapters.envelope import Sent
from device_adapters.hl7_spans import hl7_spans
from device_adapters.ihe_pcd_measures import Measures, Result, read_measures
from device_adapters.span import Span
from gateway.domain.instants import Instant
from gateway.domain.readings import AlarmChange, Decoded, LinkStatus, Observation, PumpEvent, Reading, Refusal, Refused
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Priority, PumpEventKind

_Found = list[Reading | Refused]

_OVER = (AlarmPhase.END, AlarmPhase.INACTIVATED)


class IhePcd:
    """The adapter of pumps, racks and gateways that send IHE PCD messages, bare or in MLLP frames."""

    name = "ihe-pcd"

    def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:  # noqa: ARG002  its frames tell the time themselves
        """Read every message of the payload; what is refused of one does not cost the others."""
        messages = hl7.parse(payload)
        if isinstance(messages, Refused):
            return Decoded(refused=(messages,))
        found = [item for message in messages for item in _read(message)]
        return Decoded(
            tuple(item for item in found if not isinstance(item, Refused)),
            tuple(item for item in found if isinstance(item, Refused)),
        )

    def explain(self, payload: bytes) -> tuple[Span, ...]:
        """Field by field."""
        return tuple(hl7_spans(payload))


def _read(message: hl7.Message) -> _Found:
    if message.header.component(9, 1) != "ORU":
        return [Refused(Refusal.UNKNOWN_MESSAGE, "MSH-9", "ORU is read: R01, R40, R42")]
    orders = [[Result.of(segment) for segment in order.results] for order in message.orders]
    everything = [result for results in orders for result in results]
    if not _is_pump(everything):
        return [Refused(Refusal.NOT_A_PUMP, "OBX-3", "no infusion pump in this message")]
    several = _several_pumps(everything)
    found: _Found = []
    for order, results in zip(message.orders, orders, strict=True):
        time_of = _clock(message, order)
        alarms = _alarms(results, message=message, time_of=time_of)
        if several:  # whose measures they are would be a guess; an alarm is worth the guess, and its end is not
            found += [item for item in alarms if not (isinstance(item, AlarmChange) and item.phase in _OVER)]
        else:
            found += [*alarms, *_events_and_observation(results, time_of)]
    if several:
        found.append(Refused(Refusal.TOO_MANY, "OBX-4", "several pumps or channels; publish each under its own device"))
    return found or [Refused(Refusal.NO_MEASURE, "OBX-3", "nothing that a pump measures, raises or does")]


def _is_pump(results: list[Result]) -> bool:
    """Something says that it is a pump; or there is an alarm and no device at all is named: then the topic names the pump."""
    if any(result.refid.startswith(mdc.PUMP_PREFIXES) for result in results):
        return True
    names = {name for result in results for name in (result.refid, result.value_refid)}
    if any(name.startswith(mdc.PUMP_PREFIXES) for name in names):
        return True
    return mdc.EVT_ALARM in names and not any(name.startswith(mdc.DEVICE_PREFIX) for name in names)


def _several_pumps(results: list[Result]) -> bool:
    """More than one pump system or pump unit, by containment (OBX-4 `mds.vmd.channel.metric`) or by system id."""
    devices = [result for result in results if result.refid.startswith(mdc.PUMP_DEVICE_PREFIX)]
    systems = {(result.place.split(".")[0], result.equipment) for result in devices if result.refid.endswith("_MDS")}
    units = {tuple(result.place.split(".")[:2]) for result in devices if result.refid.endswith("_VMD")}
    ids = {result.value for result in results if result.refid == mdc.SYS_ID and result.value}
    return max(len(systems), len(units), len(ids)) > 1


_TimeOf = Callable[[str], Instant | None]


def _clock(message: hl7.Message, order: hl7.Order) -> _TimeOf:
    """How a time of this order is read: the time given, else OBR-7, else MSH-7."""
    sent = message.header.field(7)
    offset = hl7.offset_of(sent)
    header = order.header.field(7) if order.header else ""

    def time_of(stated: str) -> Instant | None:
        return next((at for text in (stated, header, sent) if (at := hl7.instant(text, offset=offset)) is not None), None)

    return time_of


def _alarms(results: list[Result], *, message: hl7.Message, time_of: _TimeOf) -> _Found:
    """Every alarm of an order, each with its facets."""
    starts = [index for index, result in enumerate(results) if result.refid == mdc.EVT_ALARM]
    if not starts:
        return []
    drugs = {word for result in results if result.refid == mdc.DRUG_NAME for word in hl7.words(result.value)}
    unsayable = message.private_words | drugs
    if len(starts) == 1:  # the ordinary message: its facets may stand anywhere
        return [_alarm(results[starts[0]], results, unsayable=unsayable, time_of=time_of)]
    return [
        _alarm(results[start], results[start:end], unsayable=unsayable, time_of=time_of)
        for start, end in pairwise([*starts, len(results)])
    ]


def _events_and_observation(results: list[Result], time_of: _TimeOf) -> _Found:
    """Pump events first, then one observation of what is measured beside them."""
    measures = read_measures(results)
    found: _Found = [_event(result, results, measures, time_of) for result in results if result.refid == mdc.EVT_COND]
    if isinstance(measures, Refused):
        return [*found, measures]
    if measures:
        at = time_of(next((result.time for result in results if result.time and result.is_measure), ""))
        found.append(_NO_TIME if at is None else Observation(observed_at=at, **measures))
    return found


_NO_TIME = Refused(Refusal.BAD_TIME, "OBX-14", "no time with an offset in OBX-14, OBR-7 or MSH-7")


def _alarm(alarm: Result, facets: list[Result], *, unsayable: set[str], time_of: _TimeOf) -> AlarmChange | Refused:
    """One alarm; its facets are found by name, their order is not trusted."""
    by_name = {result.refid: result for result in reversed(facets)}
    at = time_of(alarm.time or next((result.time for result in facets if result.time), ""))
    if at is None:
        return _NO_TIME
    phase = _phase({name: facet.value.lower() for name, facet in by_name.items()})
    if isinstance(phase, Refused):
        return phase
    term = alarm.value_refid
    condition = mdc.CONDITIONS.get(term, Condition.OTHER)
    number = alarm.component(1)
    text = _text(alarm, by_name.get(mdc.ALERT_TEXT), unsayable)
    return AlarmChange(
        observed_at=at,
        condition=condition,
        phase=phase,
        priority=_priority(alarm, by_name.get(mdc.ALARM_PRIORITY)),
        code=term or (number if number.isdigit() and len(number) <= NAME_CHARS_MAX else None),
        text=text or (term or None if condition is Condition.OTHER else None),
    )


def _text(alarm: Result, stated: Result | None, unsayable: set[str]) -> str | None:
    """The pump's own words for an alarm, unless they hold a word of the patient's segments or of the drug's name."""
    said = alarm.component(9) or (stated.value if stated else "") or ("" if alarm.value_refid else alarm.component(2))
    return None if hl7.words(said) & unsayable else plain_text(said)


def _phase(facets: dict[str, str]) -> AlarmPhase | Refused:
    """From the phase; where it is missing or new to us, from the state: an active alarm is never lost over a word."""
    stated = facets.get(mdc.EVENT_PHASE, "")
    phase = mdc.PHASES.get(stated) or mdc.STATES.get(facets.get(mdc.ALARM_STATE, ""))
    if phase is None:
        reason = Refusal.UNKNOWN_VALUE if stated else Refusal.MISSING_FIELD
        return Refused(reason, "OBX-5", f"{mdc.EVENT_PHASE}: start, continue, end …")
    if phase is AlarmPhase.CONTINUE and facets.get(mdc.INACTIVATION_STATE) in mdc.INACTIVATIONS:
        return AlarmPhase.INACTIVATED
    return phase


def _priority(alarm: Result, facet: Result | None) -> Priority | None:
    """PN, PL, PM or PH from its facet, or from the flags in OBX-8 of the alarm. A number says nothing that we may trust."""
    stated = [facet.value.upper()] if facet else []
    return next((mdc.PRIORITIES[flag] for flag in (*stated, *alarm.priorities) if flag in mdc.PRIORITIES), None)


def _event(
    result: Result, results: list[Result], measures: Measures | Refused, time_of: _TimeOf
) -> PumpEvent | LinkStatus | Refused:
    """A pump event with the rate and the reason that stand beside it. A STOP while transitioning is half of a rate change."""
    term = result.value_refid
    if term == mdc.COMM_STATUS_CHANGE:
        return _link(result, results, time_of)
    kind = mdc.EVENTS.get(term)
    if kind is None:
        return Refused(Refusal.UNKNOWN_VALUE, "OBX-5", f"{mdc.EVT_COND}: delivery start, stop, complete …")
    at = time_of(result.time)
    if at is None:
        return _NO_TIME
    beside: Measures = {} if isinstance(measures, Refused) else measures
    rate_ml_h = beside.get("rate_ml_h")
    if rate_ml_h is None and kind is PumpEventKind.DELIVERY_STARTED:
        rate_ml_h = beside.get("set_rate_ml_h")
    return PumpEvent(
        observed_at=at,
        event=kind,
        reason=beside.get("not_delivering_reason"),
        transitioning=beside.get("delivery_status") is DeliveryStatus.TRANSITIONING,
        rate_ml_h=rate_ml_h,
        setting=mdc.SETTINGS.get(term),
    )


def _link(event: Result, results: list[Result], time_of: _TimeOf) -> LinkStatus | Refused:
    """A rack or a gateway says that it reaches its pump again, or no more; which way is told by a word beside the event."""
    said = [word for result in results if mdc.COMM_STATUS in result.refid or result is event for word in result.words]
    ends = (word.rpartition("status-")[2] for word in said)
    online = next((mdc.COMM_WORDS[end] for end in ends if end in mdc.COMM_WORDS), None)
    if online is None:
        return Refused(Refusal.UNKNOWN_VALUE, "OBX-5", f"{mdc.COMM_STATUS_CHANGE}: without the word online or offline")
    at = time_of(event.time)
    return _NO_TIME if at is None else LinkStatus(observed_at=at, online=online)
