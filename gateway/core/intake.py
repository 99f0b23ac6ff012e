"""One decoded message into its pump, and what it means for the pump's course."""

from gateway.core import bags, delivery, diary, flows, hindsight, history, scale, twin
from gateway.core.context import Context
from gateway.core.judgements import delivery_point
from gateway.core.state import Bag, Course, Pump
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.readings import (
    AlarmChange,
    AlarmsClear,
    Decoded,
    DiaryEntry,
    LinkStatus,
    Observation,
    PumpEvent,
    PumpWord,
    Refusal,
)
from gateway.domain.view import Facet
from gateway.domain.words import DeliveryStatus, PumpEventKind
from rules.model import Protocol

AT_LEAST_MS = 5 * MINUTE_MS
SAME_BAG_MS = 15 * MINUTE_MS  # a nurse records a bag and the pump reports it within so much of each other: one bag
INTERVALS = 3
HUNG_MAX = 4


def take_in(pump: Pump, course: Course | None, decoded: Decoded, now: Context) -> int:
    """Fold a message into the pump; returns the facets that it changed. Repeats and refusals change only their counts."""
    refused = decoded.refused
    unreadable = sum(one.reason is not Refusal.RETAINED for one in refused)  # what the broker kept says nothing of now
    woken = twin.count_messages(pump, now.at, all_=_parts(decoded) + unreadable, refused=unreadable)
    for refusal in refused:
        pump.refusals[refusal.reason] = pump.refusals.get(refusal.reason, 0) + 1
    if decoded.one_message and _is_known(pump, decoded):
        pump.repeats += 1
        return woken
    for reading in decoded.readings:
        if isinstance(reading, LinkStatus):
            pump.online = reading.online
            pump.bridge = reading.bridge or pump.bridge  # a Last Will tells nothing new of it
        elif isinstance(reading, DiaryEntry):
            woken |= diary.take(pump, course, reading, now)
        elif not decoded.one_message and twin.is_repeat(pump, reading):
            pump.repeats += 1
        else:
            facets = _take(pump, course, reading, now)
            if facets & Facet.DELIVERY and len(decoded.readings) > 1:
                _judge_between(course, pump, now)
            woken |= facets
    return woken


def _parts(decoded: Decoded) -> int:
    """How much was read, for what was refused to stand against: each condition that was told to be clear is a part of its own."""
    return sum(len(reading.conditions) if isinstance(reading, AlarmsClear) else 1 for reading in decoded.readings)


def _is_known(pump: Pump, decoded: Decoded) -> bool:
    """Whether this message, whose readings all have its number, came before."""
    first = next((reading for reading in decoded.readings if not isinstance(reading, LinkStatus | DiaryEntry)), None)
    return first is not None and twin.is_repeat(pump, first)


def promise_ms(pump: Pump, protocol: Protocol | None) -> int:
    """How long this pump may say nothing before it counts as silent."""
    if protocol is None:
        return twin.promise_ms(pump, intervals=INTERVALS, at_least_ms=AT_LEAST_MS)
    return twin.promise_ms(pump, intervals=protocol.silent_intervals, at_least_ms=protocol.silent_at_least_ms)


def is_silent(pump: Pump, protocol: Protocol | None, at: Instant) -> bool:
    """Whether the pump has not been heard within its promise."""
    return pump.heard_at == 0 or at - pump.heard_at >= promise_ms(pump, protocol)


def _take(pump: Pump, course: Course | None, reading: PumpWord, now: Context) -> int:
    protocol = now.protocols.get(course.protocol) if course is not None else None
    promise = promise_ms(pump, protocol)
    observed = twin.observed_at(pump, reading, now.at)
    twin.note_newest(pump, reading, observed)
    weight_g = reading.bag_weight_g if isinstance(reading, Observation) else None
    if reading.beside:
        woken = _take_beside(pump, reading, observed)
    elif isinstance(reading, Observation) and weight_g is not None and scale.is_alone(reading):
        woken = 0
    else:
        woken = _take_pump(pump, course, reading, now, observed, promise)
    return woken if weight_g is None else woken | _put_on_scale(pump, course, protocol, weight_g, observed)


def _take_beside(pump: Pump, reading: PumpWord, observed: Instant) -> int:
    """What stands beside the pump speaks for a dead one too: the pump was not heard, and its flow is not told."""
    if isinstance(reading, AlarmChange):
        return twin.change_alarm(pump, reading, observed)
    if isinstance(reading, AlarmsClear):
        return twin.clear_alarms(pump, reading, observed)
    return twin.observe(pump, reading, observed) if isinstance(reading, Observation) else 0


def _take_pump(
    pump: Pump,
    course: Course | None,
    reading: PumpWord,
    now: Context,
    observed: Instant,
    promise: int,
) -> int:
    """What the pump itself said, and what that makes of what was judged before."""
    late, judged = flows.is_late(pump.flow, observed, reading.seq or 0), course.delivery if course is not None else None
    told, gaps = flows.stops(pump.flow) if late else [], judged.gaps if judged is not None else ()
    hung = course.hung if course is not None else ()
    woken = _take_words(pump, course, reading, now, observed, promise)
    protocol = now.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None or judged is None:
        return woken
    if late:
        hindsight.shorten_unknown(judged, observed)
        if course.hung is not hung:  # what stood after a bag change is dated back no further than to it
            told = [stop for stop in told if stop.since < observed]
    if late and woken & Facet.DELIVERY:
        hindsight.amend(course, pump, protocol, told)
    if judged.gaps and (woken & Facet.DELIVERY or judged.gaps is not gaps) and hindsight.settle_gaps(course, pump, protocol):
        woken |= Facet.DELIVERY
    return woken


def _take_words(
    pump: Pump,
    course: Course | None,
    reading: PumpWord,
    now: Context,
    observed: Instant,
    promise: int,
) -> int:
    first = course is not None and pump.heard_at < course.enrolled_at
    came_back = pump.heard_at != 0 and (now.at - pump.heard_at >= promise or _first_since_link(pump, now))
    woken = twin.hear(pump, now.at, observed, was_silent=came_back) | (Facet.HEARD if first else 0)
    if isinstance(reading, Observation):
        if reading.locked is False and observed >= pump.measured_at:
            woken |= history.note_lock(pump, observed, now.at)
        if reading.infused_ml is not None:
            if course is not None and not hindsight.is_kept(pump, observed):
                woken |= history.note_volume(course, pump, reading, observed, promise)
            _weigh(pump, course, reading, reading.infused_ml, observed, promise)
        woken |= twin.observe(pump, reading, observed)
        return woken | history.note_rates(course, pump) if course is not None else woken
    if isinstance(reading, AlarmChange):
        return woken | twin.change_alarm(pump, reading, observed)
    if isinstance(reading, AlarmsClear):
        return woken | twin.clear_alarms(pump, reading, observed)
    woken |= twin.note_event(pump, reading, observed) | history.note_event(pump, course, reading, observed, now.at)
    if pump.scale is not None and reading.event in (PumpEventKind.BAG_CHANGED, PumpEventKind.PRIMED):
        scale.begin_anew(pump.scale)
    if course is not None and reading.event is PumpEventKind.BAG_CHANGED:
        _change_bag(course, reading, observed)
        woken |= Facet.DELIVERY
    return woken


def _put_on_scale(pump: Pump, course: Course | None, protocol: Protocol | None, weight_g: float, observed: Instant) -> int:
    if course is None or protocol is None:
        return 0
    return scale.weigh(pump, course.bag, weight_g, observed, tolerance_g=protocol.scale_tolerance_g)


def _judge_between(course: Course | None, pump: Pump, now: Context) -> None:
    """One message may tell of a stop and of its end: each reading is judged, or nobody would ever hear of it."""
    protocol = now.protocols.get(course.protocol) if course is not None else None
    if course is not None and protocol is not None and delivery.judge(course, pump, protocol, now.at, silent=False):
        now.effects.append(delivery_point(course, now))


def _first_since_link(pump: Pump, now: Context) -> bool:
    """The gateway's session is back and its backlog not yet read: this pump's words may be old."""
    desk = now.desk
    draining = desk.deaf_until is not None and now.at < desk.deaf_until
    return draining and pump.heard_at < max(desk.linked_at, desk.started_at)


def _weigh(pump: Pump, course: Course | None, reading: Observation, infused_ml: float, observed: Instant, promise: int) -> None:
    boot = reading.boot or ""
    if course is not None:
        stopped = reading.delivery_status in (DeliveryStatus.NOT_DELIVERING, DeliveryStatus.KVO)
        hindsight.weigh(course, pump, infused_ml, observed, boot=boot, promise_ms=promise, stopped=stopped)
    elif observed > pump.infused_at:
        pump.infused_ml, pump.infused_at, pump.infused_boot = infused_ml, observed, boot


def _change_bag(course: Course, reading: PumpEvent, observed: Instant) -> None:
    """The pump says that a new bag hangs: the one that a person has just recorded, or one of the same kind as before."""
    before = course.bag
    if before is None:
        return
    if before.told_by == "person" and abs(observed - before.hung_at) <= SAME_BAG_MS and before.hung_at > course.enrolled_at:
        before.told_by = "both"
        return
    course.hung = tuple(sorted({*course.hung, before.hung_at, observed})[-HUNG_MAX:])
    if observed <= before.hung_at:
        return
    bags.put_away(course, observed)
    course.bag = Bag(
        kind=reading.bag or before.kind,
        hung_at=observed,
        rate_ml_h=before.rate_ml_h,
        fill_ml=reading.bag_ml if reading.bag_ml is not None else before.fill_ml,
        primed_ml=(reading.primed_ml or 0.0) + sum(ml for at, ml in course.primed if at >= observed),
        planned_change_at=observed + (before.planned_change_at - before.hung_at),
        told_by="pump",
    )
