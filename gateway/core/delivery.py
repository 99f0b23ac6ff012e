"""Whether this patient's drug flows, since when not, and what proves it (DESIGN 4)."""

from gateway.core.state import INTERRUPTIONS_MAX, Course, Delivery, Interruption, Pump
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.view import Judgement
from gateway.domain.words import OCCLUSIONS, Condition, DeliveryState, Priority
from rules.model import Protocol

BRIEF_STOP_MS = 60 * SECOND_MS
VOLUME_TOLERANCE_MIN_MS = 2 * MINUTE_MS
VOLUME_TOLERANCE_PERCENT = 6  # nominal accuracy of an ambulatory pump

SILENCE = "silence"  # the pump has not been heard within its promise
UNSAID = "unsaid"  # the pump is heard, but has not said whether it delivers

_UNEXPLAINED = frozenset({"alarm", "unspecified", "stopped"})
_CONDITIONS = frozenset(Condition)


def judge(course: Course, pump: Pump, protocol: Protocol, at: Instant, *, silent: bool) -> bool:
    """Bring the course's judgement up to `at`; True when it changed."""
    before = course.delivery
    judged = _judgement(course, pump, protocol, at, silent=silent)
    if judged == judgement_of(course):
        return False
    if judged.state is not before.state:
        _close_stretch(before, judged, pump, at)
    before.state, before.since, before.evidence_at = judged.state, judged.since, judged.evidence_at
    before.cause, before.estimated = judged.cause, judged.estimated
    return True


def judgement_of(course: Course) -> Judgement:
    """The judgement as rules and the board see it."""
    now = course.delivery
    return Judgement(now.state, now.since, now.evidence_at, now.cause, now.estimated)


def current_ms(course: Course, at: Instant) -> int:
    """Length of the current interruption; 0 when there is none."""
    return at - course.delivery.since if course.delivery.state is DeliveryState.INTERRUPTED else 0


def worst_ms(course: Course, pump: Pump, at: Instant) -> int:
    """The same if nothing flowed since delivery was last known: interruption and unknown together. Never less than current."""
    if course.delivery.state is DeliveryState.UNKNOWN:
        return at - course.delivery.since
    if course.delivery.state is not DeliveryState.INTERRUPTED:
        return 0
    known_at = max(pump.flow.before_at, course.delivery.interruption_ended_at, _started_at(course))
    return max(current_ms(course, at), at - known_at)


def may_fall_silent(course: Course) -> bool:
    """Whether time alone may turn this judgement into "unknown, for silence"."""
    state = course.delivery.state
    return state is DeliveryState.DELIVERING or (state is DeliveryState.UNKNOWN and course.delivery.cause != SILENCE)


def weigh(course: Course, pump: Pump, infused_ml: float, observed: Instant, *, promise_ms: int, stopped: bool) -> None:
    """Let the pump's volume counter tell what happened while it was silent; then remember it. `stopped`: it stands now.

    Volume is the better witness than the commanded rate. A counter that went back was reset: it proves nothing; nor does what
    was counted for another course or bag.
    """
    if observed <= pump.infused_at:
        return
    gap_ms = observed - pump.infused_at
    comparable = pump.infused_ml is not None and infused_ml >= pump.infused_ml and pump.infused_at >= _started_at(course)
    if pump.infused_ml is not None and comparable and gap_ms >= promise_ms:
        rate_ml_h = pump.set_rate_ml_h or pump.rate_ml_h or (course.bag.rate_ml_h if course.bag else 0.0)
        if rate_ml_h > 0:
            flowed_ms = round(min(gap_ms, (infused_ml - pump.infused_ml) / rate_ml_h * HOUR_MS))
            _note_volume(course.delivery, pump, flowed_ms, gap_ms, observed, stopped=stopped)
    pump.infused_ml, pump.infused_at = infused_ml, observed


def _note_volume(delivery: Delivery, pump: Pump, flowed_ms: int, gap_ms: int, observed: Instant, *, stopped: bool) -> None:
    missing_ms = gap_ms - flowed_ms
    if missing_ms <= max(VOLUME_TOLERANCE_MIN_MS, gap_ms * VOLUME_TOLERANCE_PERCENT // 100):
        delivery.confirmed_by_volume_at = delivery.flowed_until = observed
        return
    delivery.flowed_until = pump.infused_at + flowed_ms
    if pump.flow.delivering and not stopped:  # a pump that stands is judged as interrupted since then
        found = Interruption(delivery.flowed_until, observed, "silence", estimated=True, found=True)
        _record(delivery, found)


def _judgement(course: Course, pump: Pump, protocol: Protocol, at: Instant, *, silent: bool) -> Judgement:
    bag = course.bag
    if bag is None or course.ended_at is not None:
        why = "no bag" if bag is None else "course ended"
        before = course.delivery
        since = before.since if before.state is DeliveryState.NOT_EXPECTED else at
        return Judgement(DeliveryState.NOT_EXPECTED, since, since, why)
    flow = pump.flow
    if flow.delivering is False and flow.at >= max(bag.hung_at, course.enrolled_at):
        return _interrupted(course, pump, protocol)
    if flow.delivering and not silent:
        since = max(flow.since, bag.hung_at)
        return Judgement(DeliveryState.DELIVERING, since, since)
    cause = SILENCE if silent else UNSAID
    last_word_at = min(pump.heard_at, pump.observed_at)  # only a pump that said that it delivers: else since the bag hangs
    since = max(last_word_at, course.enrolled_at) if flow.delivering else _started_at(course)
    return Judgement(DeliveryState.UNKNOWN, since, since, cause)


def _started_at(course: Course) -> Instant:
    """Since when delivery is expected of this bag."""
    return max(course.enrolled_at, course.bag.hung_at) if course.bag else course.enrolled_at


def _interrupted(course: Course, pump: Pump, protocol: Protocol) -> Judgement:
    before, flow = course.delivery, pump.flow
    same = before.state is DeliveryState.INTERRUPTED
    cause = _cause(pump, protocol)
    if same and before.cause in _CONDITIONS and cause not in OCCLUSIONS:
        cause = before.cause  # the condition may have ended while the pump still stands
    onset, estimated = _onset(course, pump, protocol, cause)
    if same and before.since <= onset:
        onset, estimated = before.since, before.estimated
    return Judgement(DeliveryState.INTERRUPTED, onset, flow.since, cause, estimated)


def _cause(pump: Pump, protocol: Protocol) -> str:
    """The pump condition that stopped it, where one began by then; else the pump's own reason."""
    flow = pump.flow
    if flow.reason not in _UNEXPLAINED and flow.reason not in _CONDITIONS:
        return flow.reason
    suspects = [
        known.condition
        for known in pump.conditions.values()
        if known.active
        and known.stops_delivery is not False
        and known.started_at <= flow.since + BRIEF_STOP_MS
        and protocol.conditions[known.condition] is Priority.HIGH
    ]
    occluded = [condition for condition in suspects if condition in OCCLUSIONS]
    if occluded or flow.reason in _CONDITIONS:
        return occluded[0] if occluded else flow.reason
    return suspects[0] if suspects else flow.reason


def _onset(course: Course, pump: Pump, protocol: Protocol, cause: str) -> tuple[Instant, bool]:
    """When delivery stopped, and whether that is an estimate: an occlusion alarm, or a word after silence, comes late."""
    flow, delivery, bag = pump.flow, course.delivery, course.bag
    started_at = _started_at(course)
    onset, estimated = flow.since, False
    silent_ms = max(protocol.silent_at_least_ms, protocol.silent_intervals * pump.interval_ms)
    if flow.before_at and flow.since - flow.before_at > silent_ms:
        onset, estimated = max(flow.before_at, min(delivery.flowed_until, flow.since)), True
    if flow.before_at == 0:
        onset = started_at
    if cause in OCCLUSIONS:
        rate_ml_h = pump.set_rate_ml_h or (bag.rate_ml_h if bag else 0.0)
        lag_ms = round(min(DAY_MS, protocol.occlusion_volume_ml / rate_ml_h * HOUR_MS)) if rate_ml_h > 0 else 0
        onset, estimated = min(onset, flow.since - lag_ms), True
    return max(onset, started_at, delivery.interruption_ended_at), estimated


def _close_stretch(delivery: Delivery, judged: Judgement, pump: Pump, at: Instant) -> None:
    """Account for the stretch that ends: an interruption longer than a brief stop, or time that nobody can vouch for."""
    if delivery.state is DeliveryState.INTERRUPTED:
        until = pump.flow.since if judged.state is DeliveryState.DELIVERING else at
        if until - delivery.evidence_at > BRIEF_STOP_MS:
            _record(delivery, Interruption(delivery.since, until, delivery.cause, delivery.estimated))
            delivery.interruption_ended_at = until
    elif delivery.state is DeliveryState.UNKNOWN and delivery.confirmed_by_volume_at < delivery.since:
        delivery.unknown_ms += max(0, min(at, pump.observed_at) - delivery.since)


def _record(delivery: Delivery, interruption: Interruption) -> None:
    delivery.interrupted_ms += interruption.until - interruption.since
    delivery.interruptions.append(interruption)
    del delivery.interruptions[:-INTERRUPTIONS_MAX]
