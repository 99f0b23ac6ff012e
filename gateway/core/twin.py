"""From readings to our last knowledge of a pump. Arrival order does not matter: older words never overrule newer ones."""

from gateway.core import flows, history
from gateway.core.state import BOOTS_MAX, HOLES_MAX, Numbering, Pump, PumpCondition
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.readings import AlarmChange, AlarmsClear, Observation, PumpEvent, PumpWord, Reading
from gateway.domain.view import Facet
from gateway.domain.words import AlarmPhase, ClockQuality, Condition, DeliveryStatus, PumpEventKind

AHEAD_MAX_MS = 2 * MINUTE_MS
DELIVERING_CLEARS_MS = 60 * SECOND_MS
REFUSAL_WINDOW_MS = 5 * MINUTE_MS
CATCH_UP_MS = 30 * SECOND_MS
INTERVAL_MAX_MS = 60 * MINUTE_MS
LONG_INTERVAL_MS = MINUTE_MS
FIRST_INTERVAL_MS = MINUTE_MS

_STOPPED_BY = {PumpEventKind.DELIVERY_STOPPED: "stopped", PumpEventKind.DELIVERY_COMPLETE: Condition.INFUSION_COMPLETE}


def is_repeat(pump: Pump, reading: Reading) -> bool:
    """Whether (boot, seq) was seen before; notes it otherwise. Readings without a seq are never repeats."""
    seq = reading.seq
    if seq is None:
        return False
    boot = reading.boot or ""
    numbering = pump.boots.get(boot)
    if numbering is None:
        _new_boot(pump, boot, seq)
        return False
    if seq == numbering.high + 1:
        numbering.high = seq
        return False
    if seq > numbering.high:
        numbering.holes.append((numbering.high + 1, seq - 1))
        numbering.high = seq
        if len(numbering.holes) > HOLES_MAX:
            numbering.floor = numbering.holes.pop(0)[1]
        return False
    return not _fills_hole(numbering, seq)


def _new_boot(pump: Pump, boot: str, seq: int) -> None:
    if pump.boots:
        pump.restarts += 1
    holes = [(0, seq - 1)] if seq > 0 else []
    pump.boots[boot] = Numbering(low=seq, high=seq, holes=holes)
    if len(pump.boots) > BOOTS_MAX:
        del pump.boots[next(iter(pump.boots))]


def missing(pump: Pump) -> int:
    """How many messages never arrived, by the numbers of the boots that we remember."""
    return sum(last - first + 1 for numbering in pump.boots.values() for first, last in numbering.holes if first > numbering.low)


def _fills_hole(numbering: Numbering, seq: int) -> bool:
    for index, (first, last) in enumerate(numbering.holes):
        if first <= seq <= last:
            rest = [part for part in ((first, seq - 1), (seq + 1, last)) if part[0] <= part[1]]
            numbering.holes[index : index + 1] = rest
            return True
    return seq <= numbering.floor


def observed_at(pump: Pump, reading: Reading, at: Instant) -> Instant:
    """The reading's own time where it can be believed, else `at`; marks the clock as doubtful where it cannot."""
    told = reading.observed_at
    pump.clock_doubtful = reading.clock is ClockQuality.FREE or told > at + AHEAD_MAX_MS
    pump.clock_offset_ms = told - at
    return _in_its_place(pump, reading, at) if pump.clock_doubtful else told


def _in_its_place(pump: Pump, reading: Reading, at: Instant) -> Instant:
    """When a word was observed that cannot tell: now, or just before the newest of its boot where its number is lower.

    A bridge sends alarms before what it saw earlier: that must not look like newer words, by which the alarm would be over.
    """
    numbering = pump.boots.get(reading.boot or "")
    if numbering is None or reading.seq is None or reading.seq >= numbering.high or not numbering.high_at:
        return at
    return min(at, numbering.high_at - 1)


def note_newest(pump: Pump, reading: Reading, observed: Instant) -> None:
    """Remember when the word with the highest number of its boot was observed."""
    numbering = pump.boots.get(reading.boot or "")
    if numbering is not None and reading.seq == numbering.high:
        numbering.high_at = observed


def promise_ms(pump: Pump, *, intervals: int, at_least_ms: int) -> int:
    """How long this pump may say nothing before it counts as silent."""
    return max(intervals * pump.interval_ms, at_least_ms)


def hear(pump: Pump, at: Instant, observed: Instant, *, was_silent: bool) -> int:
    """Note that the pump was heard; returns the facets that this changes. Starts catch-up when it was silent."""
    facets = Facet.HEARD if pump.heard_at == 0 else 0
    if was_silent:
        pump.returned_at, pump.judged_from = at, at + CATCH_UP_MS
        facets |= Facet.DELIVERY
    if pump.judged_from and (observed >= pump.returned_at or at >= pump.judged_from):
        pump.judged_from = 0
        facets |= Facet.ALL
    pump.heard_at = at
    pump.observed_at = max(pump.observed_at, observed)
    return facets


def observe(pump: Pump, reading: Observation, observed: Instant) -> int:
    """Take a telemetry reading in; returns the facets that it changes."""
    facets = 0 if reading.beside else _learn_interval(pump, observed)
    if reading.delivery_status is not None:
        facets |= _observe_flow(pump, reading, observed)
    if observed < pump.measured_at:
        return facets
    pump.measured_at = observed
    pump.boot = reading.boot or pump.boot
    return facets | _copy_measures(pump, reading, observed)


def _learn_interval(pump: Pump, observed: Instant) -> int:
    """How often the pump reports, after one more step. It at most doubles a step: one silence must not excuse the next."""
    before_at, known_ms = pump.reported_at, pump.interval_ms
    pump.reported_at = max(before_at, observed)
    step_ms = observed - before_at
    if not before_at or not 0 < step_ms <= INTERVAL_MAX_MS:
        return 0
    longer_ms, shorter_ms = min(step_ms, 2 * max(known_ms, FIRST_INTERVAL_MS)), (3 * known_ms + step_ms) // 4
    pump.interval_ms = longer_ms if step_ms > known_ms else shorter_ms
    return Facet.DELIVERY if step_ms < known_ms and known_ms > LONG_INTERVAL_MS else 0  # silence may come earlier than planned


def _copy_measures(pump: Pump, reading: Observation, observed: Instant) -> int:
    facets = history.note_battery(pump, reading, observed) if pump.on_battery or reading.power == "battery" else 0
    if reading.rate_ml_h is not None:
        pump.rate_ml_h = reading.rate_ml_h
    if reading.set_rate_ml_h is not None:
        pump.set_rate_ml_h = reading.set_rate_ml_h
    if reading.remaining_ml is not None:
        facets |= history.note_remaining(pump, reading.remaining_ml, observed)
        pump.remaining_ml = reading.remaining_ml
    if reading.battery_percent is not None:
        pump.battery_percent = reading.battery_percent
    if reading.power is not None:
        pump.on_battery = reading.power == "battery"
    if reading.pressure_mmhg is not None:
        pump.pressure_mmhg = reading.pressure_mmhg
    if reading.locked is not None:
        pump.locked = reading.locked
    return facets


def _observe_flow(pump: Pump, reading: Observation, observed: Instant) -> int:
    status = reading.delivery_status
    if status is DeliveryStatus.TRANSITIONING:
        return 0
    if status is DeliveryStatus.DELIVERING:
        facets = _say(pump, reading, observed, delivering=True)
        return facets | _clear_by_delivery(pump)
    reason = "kvo" if status is DeliveryStatus.KVO else (reading.not_delivering_reason or "unspecified")
    return _say(pump, reading, observed, delivering=False, reason=reason)


def _say(pump: Pump, reading: PumpWord, observed: Instant, *, delivering: bool, reason: str = "") -> int:
    return flows.note(pump, observed, reading.seq or 0, reading.boot or "", delivering=delivering, reason=reason)


def _clear_by_delivery(pump: Pump) -> int:
    """A condition that had stopped delivery is over after 60 s of reported delivery: its `end` may have been lost.

    `changed_at` stays with the alarm's own newest word: the next one may still be on its way.
    """
    facets, flow = 0, pump.flow
    if pump.conditions and flow.delivering and flow.at - flow.since >= DELIVERING_CLEARS_MS:
        for known in pump.conditions.values():
            if known.active and known.stops_delivery and known.started_at <= flow.since and known.changed_at <= flow.at:
                known.active = False
                facets = Facet.CONDITIONS
    return facets


def change_alarm(pump: Pump, reading: AlarmChange, observed: Instant) -> int:
    """Take an alarm condition's change in; returns the facets that it changes."""
    known = pump.conditions.get(reading.condition)
    if known is not None and _is_older(known, reading, observed):
        return _start_late(pump, known, reading, observed) if reading.phase is AlarmPhase.START else 0
    if reading.phase is AlarmPhase.END:
        return _end(pump, reading.condition, reading, observed)
    fresh = known is None or not known.active
    if known is None or fresh:
        begins = known is None or known.was_clear or reading.phase is AlarmPhase.START
        stops = known.stops_delivery if known is not None and not begins else None
        if begins:
            history.note_start(pump, reading.condition, observed)
        known = PumpCondition(reading.condition, observed, observed, active=True, stops_delivery=stops)
        pump.conditions[reading.condition] = known
    stops_now = reading.phase is AlarmPhase.START or fresh or not known.stops_delivery
    _note_word(known, reading, observed)
    known.device_priority = reading.priority or known.device_priority
    known.text = reading.text or known.text
    if reading.stops_delivery is not None:
        known.stops_delivery = reading.stops_delivery
    facets = Facet.CONDITIONS
    if stops_now:
        facets |= _stop_by_alarm(pump, reading, observed)
    return facets | _clear_by_delivery(pump)


def clear_alarms(pump: Pump, reading: AlarmsClear, observed: Instant) -> int:
    """Take in that none of these conditions is active; returns the facets that it changes.

    A device that tells so tells no starts: the next time that it tells one of them, it has begun.
    """
    facets = 0
    for condition in reading.conditions:
        known = pump.conditions.get(condition)
        if known is None or not _is_older(known, reading, observed):
            facets |= _end(pump, condition, reading, observed)
            pump.conditions[condition].was_clear = True
    return facets


def _end(pump: Pump, condition: Condition, reading: AlarmChange | AlarmsClear, observed: Instant) -> int:
    """What had never begun is noted too: an older word of its start may still come."""
    known = pump.conditions.get(condition)
    if known is None:
        known = pump.conditions[condition] = PumpCondition(condition, observed, observed, active=False)
    facets = Facet.CONDITIONS if known.active else 0
    known.active = False
    _note_word(known, reading, observed)
    return facets


def _note_word(known: PumpCondition, reading: AlarmChange | AlarmsClear, observed: Instant) -> None:
    known.changed_at, known.seq, known.boot = observed, reading.seq or 0, reading.boot or ""


def _is_older(known: PumpCondition, reading: AlarmChange | AlarmsClear, observed: Instant) -> bool:
    """Whether a newer word about this condition is known: by the numbers within a boot, which no clock can turn round."""
    if reading.seq and known.seq and (reading.boot or "") == known.boot:
        return reading.seq < known.seq
    return observed < known.changed_at or (observed == known.changed_at and 0 < (reading.seq or 0) < known.seq)


def _start_late(pump: Pump, known: PumpCondition, reading: AlarmChange, observed: Instant) -> int:
    """The start of a condition of which newer words are known: it says since when, and counts among the starts."""
    facets = _stop_by_alarm(pump, reading, observed)
    if known.active and observed >= known.started_at:
        return facets
    history.note_start(pump, reading.condition, observed)
    if known.active:
        known.started_at = observed
    return facets | Facet.CONDITIONS


def _stop_by_alarm(pump: Pump, reading: AlarmChange, observed: Instant) -> int:
    """An alarm that stops delivery is a word about the flow, also where it comes too late to be one about the condition."""
    if not reading.stops_delivery:
        return 0
    return Facet.DELIVERY | _say(pump, reading, observed, delivering=False, reason=reading.condition)


def note_event(pump: Pump, reading: PumpEvent, observed: Instant) -> int:
    """Take a pump event in; returns the facets that it changes."""
    if reading.event is PumpEventKind.DELIVERY_STARTED:
        return _say(pump, reading, observed, delivering=True)
    stopped_by = _STOPPED_BY.get(reading.event)
    if stopped_by is not None and not reading.transitioning:
        return _say(pump, reading, observed, delivering=False, reason=reading.reason or stopped_by)
    if reading.event is PumpEventKind.BAG_CHANGED:
        if observed >= pump.infused_at:  # else the new bag's own count came first
            pump.infused_ml, pump.infused_at = None, 0
        return Facet.DELIVERY
    return 0


def count_messages(pump: Pump, at: Instant, *, all_: int, refused: int) -> int:
    """Count a message's parts into the minute of `at`; returns the facets that it changes."""
    minute = at - at % MINUTE_MS
    if pump.minutes and pump.minutes[-1][0] == minute:
        _, before, before_refused = pump.minutes[-1]
        pump.minutes[-1] = (minute, before + all_, before_refused + refused)
    else:
        pump.minutes.append((minute, all_, refused))
        while pump.minutes[0][0] <= at - REFUSAL_WINDOW_MS - MINUTE_MS:
            pump.minutes.pop(0)
    return Facet.REFUSALS if refused else 0


def messages_of(pump: Pump, at: Instant) -> tuple[int, int]:
    """(refused, all) of the last five minutes, to the minute."""
    recent = [entry for entry in pump.minutes if entry[0] > at - REFUSAL_WINDOW_MS]
    return sum(entry[2] for entry in recent), sum(entry[1] for entry in recent)


def note_standing(pump: Pump, at: Instant) -> None:
    """A person saw at `at` that the pump does not deliver."""
    flows.note(pump, at, 0, "", delivering=False, reason="seen standing")
