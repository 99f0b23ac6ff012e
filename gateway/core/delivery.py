"""Whether this patient's drug flows, since when not, and what proves it (DESIGN 4)."""

from gateway.core import scale
from gateway.core.state import INTERRUPTIONS_MAX, Bag, Course, Delivery, Interruption, Pump
from gateway.domain.care import WindowKind
from gateway.domain.instants import DAY_MS, HOUR_MS, SECOND_MS, Instant
from gateway.domain.view import Judgement
from gateway.domain.words import OCCLUSIONS, Condition, DeliveryState, Priority
from rules.model import Protocol

BRIEF_STOP_MS = 60 * SECOND_MS
UNKNOWNS_MAX = 8

SILENCE = "silence"  # the pump has not been heard within its promise
BY_SCALE = "scale"  # the pump is silent, and its bag gets lighter as prescribed
SCALE_STANDS = "scale stands"  # the pump is silent, and its bag gets no lighter
UNSAID = "unsaid"  # the pump is heard, but has not said whether it delivers
IN_HOSPITAL = "in hospital"  # the hospital's own pump gives the drug
STARTING = "starting up"  # a new bag hangs, and the pump may take a while to deliver from it

_UNEXPLAINED = frozenset({"alarm", "unspecified", "stopped"})
_CONDITIONS = frozenset(Condition)


def judge(course: Course, pump: Pump, protocol: Protocol, at: Instant, *, silent: bool, vouched: bool = False) -> bool:
    """Bring the course's judgement up to `at`; True when it changed. `vouched`: the bag's weight speaks for a silent pump."""
    before = course.delivery
    judged = _judgement(course, pump, protocol, at, silent=silent, vouched=vouched)
    if judged == judgement_of(course):
        return False
    if judged.state is not before.state:
        _close_stretch(before, judged, pump, at)
        _count_expected(before, judged, at)
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
    """The same if nothing flowed since delivery was last known: interruption and unknown together. Never less than current.

    It runs too while the pump says that it delivers and the bag's weight says that it does not.
    """
    if course.delivery.state is DeliveryState.UNKNOWN:
        return at - course.delivery.since
    if course.delivery.state is DeliveryState.DELIVERING and scale.stands(pump):
        return max(0, at - max(scale.proven_until(pump), course.delivery.since))
    if course.delivery.state is not DeliveryState.INTERRUPTED:
        return 0
    known_at = max(pump.flow.before_at, course.delivery.interruption_ended_at, started_at(course))
    return max(current_ms(course, at), at - known_at)


def infusion_days(course: Course, at: Instant) -> float:
    """Days of this cycle in which drug was delivered as far as anybody knows: neither interruptions nor unknown time count."""
    return infused_ms(course, at) / DAY_MS


def infused_ms(course: Course, at: Instant) -> int:
    """The same in ms."""
    delivery = course.delivery
    running_ms = at - delivery.expected_since if delivery.expected_since is not None else 0
    doubtful_ms = at - delivery.since if delivery.state in (DeliveryState.INTERRUPTED, DeliveryState.UNKNOWN) else 0
    return max(0, delivery.expected_ms + running_ms - doubtful_ms - delivery.interrupted_ms - delivery.unknown_ms)


def interrupted_between(course: Course, from_at: Instant, until_at: Instant) -> int:
    """Length of the interruptions inside [from_at, until_at), the present one included: for a bag since it hangs."""
    stretches = [(stretch.since, stretch.until) for stretch in course.delivery.interruptions]
    if course.delivery.state is DeliveryState.INTERRUPTED:
        stretches.append((course.delivery.since, until_at))
    return sum(max(0, min(until, until_at) - max(since, from_at)) for since, until in stretches)


def is_served(course: Course) -> bool:
    """Whether a pump serves the course: it has not ended and is not in its break."""
    return course.ended_at is None and course.care.break_at is None


def next_due(course: Course, protocol: Protocol) -> Instant | None:
    """When time alone ends the grace of a starting pump."""
    starting = course.delivery.state is DeliveryState.NOT_EXPECTED and course.delivery.cause == STARTING
    return course.bag.hung_at + protocol.start_up_delay_ms if starting and course.bag is not None else None


def may_fall_silent(course: Course) -> bool:
    """Whether time alone may turn this judgement into "unknown, for silence"."""
    state = course.delivery.state
    return state is DeliveryState.DELIVERING or (state is DeliveryState.UNKNOWN and course.delivery.cause == UNSAID)


def _judgement(course: Course, pump: Pump, protocol: Protocol, at: Instant, *, silent: bool, vouched: bool) -> Judgement:
    bag, before, flow = course.bag, course.delivery, pump.flow
    why = _not_expected_why(course, at)
    if why or bag is None:
        since = before.since if before.state is DeliveryState.NOT_EXPECTED else at
        return Judgement(DeliveryState.NOT_EXPECTED, since, since, why)
    said = flow.delivering is not None and flow.at >= course.care.paired_at
    if not said and before.state is DeliveryState.INTERRUPTED:
        return judgement_of(course)  # another pump took over: that alone delivers nothing
    stood = before.state is DeliveryState.INTERRUPTED or flow.at >= max(bag.hung_at, course.enrolled_at)
    if said and flow.delivering is False and stood:
        return _starting(course, pump, protocol, at) or _interrupted(course, pump, protocol)
    if said and flow.delivering and (vouched or not silent):
        since = max(flow.since, _runs_from(course, bag))
        return Judgement(DeliveryState.DELIVERING, since, since, BY_SCALE if silent else "")
    if vouched and not said:  # a pump that cannot speak: delivering from the scale's first verdict on, and not before
        since = before.since if before.state is DeliveryState.DELIVERING else at
        return Judgement(DeliveryState.DELIVERING, since, since, BY_SCALE)
    if said and flow.delivering:
        since = max(min(pump.heard_at, pump.observed_at), scale.proven_until(pump), course.enrolled_at, _runs_from(course, None))
    else:  # only a pump that said that it delivers is trusted up to its last word: else since the bag hangs
        stays = not said and before.state is DeliveryState.UNKNOWN
        since = before.since if stays else max(scale.proven_until(pump), started_at(course))
    cause = UNSAID if not silent else SCALE_STANDS if scale.stands(pump) else SILENCE
    return Judgement(DeliveryState.UNKNOWN, since, since, cause)


def _not_expected_why(course: Course, at: Instant) -> str:
    """Why no delivery is expected now; empty when it is."""
    window = course.care.window
    if course.ended_at is not None:
        return "course ended"
    if course.care.break_at is not None:
        return "break"
    if course.bag is None:
        return "no bag"
    stays = window is not None and window.kind is WindowKind.HOSPITAL_STAY and at < window.until_at
    return IN_HOSPITAL if stays else ""


def _starting(course: Course, pump: Pump, protocol: Protocol, at: Instant) -> Judgement | None:
    """A new bag hangs and the pump has not delivered from it: no interruption until the start-up delay has passed.

    An interruption that began before goes on, and an alarm that stops the pump is one at once.
    """
    bag, flow = course.bag, pump.flow
    if bag is None or course.delivery.state is DeliveryState.INTERRUPTED or at >= bag.hung_at + protocol.start_up_delay_ms:
        return None
    if flow.since < bag.hung_at or flow.before_at >= bag.hung_at or _cause(pump, protocol) in _CONDITIONS:
        return None
    return Judgement(DeliveryState.NOT_EXPECTED, flow.since, flow.since, STARTING)


def _runs_from(course: Course, bag: Bag | None) -> Instant:
    """Since when this pump may deliver for this course: bag hung, pump paired, break and hospital stay over."""
    return max(bag.hung_at if bag else 0, course.care.expected_from, course.care.paired_at)


def begun_at(course: Course) -> Instant:
    """Since when delivery is expected of this pump, whatever bag hangs: a new bag ends no interruption."""
    return max(course.enrolled_at, _runs_from(course, None))


def started_at(course: Course) -> Instant:
    """Since when delivery is expected of this bag by this pump."""
    return max(course.enrolled_at, _runs_from(course, course.bag))


def _interrupted(course: Course, pump: Pump, protocol: Protocol) -> Judgement:
    before, flow = course.delivery, pump.flow
    same = before.state is DeliveryState.INTERRUPTED and not _is_disproved(pump, before.cause)
    cause = _cause(pump, protocol)
    if same and before.cause in _CONDITIONS and cause not in OCCLUSIONS:
        cause = before.cause  # the condition may have ended while the pump still stands
    onset, estimated = onset_of(course, pump, protocol, flow.since, flow.before_at, occluded=cause in OCCLUSIONS)
    onset = max(onset, before.interruption_ended_at)
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


def _is_disproved(pump: Pump, cause: str) -> bool:
    """Whether the condition that was taken for the cause had ended before this stop began: its end came late."""
    known = next((known for known in pump.conditions.values() if known.condition == cause), None)
    return known is not None and not known.active and known.changed_at < pump.flow.since


def onset_of(
    course: Course, pump: Pump, protocol: Protocol, since: Instant, before_at: Instant, *, occluded: bool
) -> tuple[Instant, bool]:
    """When the delivery stopped of which the pump told at `since`, and whether that is an estimate.

    An occlusion alarm comes late, and so does a word after silence. `before_at` is the last word of delivery; 0: there was none.
    """
    hung = (*course.hung, course.bag.hung_at if course.bag is not None else 0)
    begun = max(begun_at(course), *(hung_at for hung_at in hung if hung_at <= since), 0)
    onset, estimated = since, False
    silent_ms = max(protocol.silent_at_least_ms, protocol.silent_intervals * pump.interval_ms)
    if before_at and since - before_at > silent_ms:
        onset, estimated = max(before_at, min(course.delivery.flowed_until, since)), True
    if before_at == 0:
        onset = begun
    if occluded:
        onset, estimated = min(onset, since - occlusion_lag_ms(course, pump, protocol)), True
    witnesses = (course.care.seen_running_at, scale.proven_until(pump))
    witnessed_at = max((seen_at for seen_at in witnesses if seen_at <= since), default=0)
    return max(onset, begun, witnessed_at), estimated


def occlusion_lag_ms(course: Course, pump: Pump, protocol: Protocol) -> int:
    """How long an occlusion stands before its alarm: what the line takes up, at the present rate."""
    rate_ml_h = pump.set_rate_ml_h or (course.bag.rate_ml_h if course.bag else 0.0)
    return round(min(DAY_MS, protocol.occlusion_volume_ml / rate_ml_h * HOUR_MS)) if rate_ml_h > 0 else 0


def _close_stretch(delivery: Delivery, judged: Judgement, pump: Pump, at: Instant) -> None:
    """Account for the stretch that ends: an interruption longer than a brief stop, or time that nobody can vouch for."""
    if delivery.state is DeliveryState.INTERRUPTED:
        until = pump.flow.since if judged.state is DeliveryState.DELIVERING else at
        late = delivery.cause in OCCLUSIONS and delivery.estimated  # flow had stopped long before: never a brief stop
        if late or until - delivery.evidence_at > BRIEF_STOP_MS:
            record(delivery, Interruption(delivery.since, until, delivery.cause, delivery.estimated))
            delivery.interruption_ended_at = until
    elif delivery.state is DeliveryState.UNKNOWN and delivery.explained_at < delivery.since:
        until = at if judged.state is DeliveryState.NOT_EXPECTED else min(at, pump.observed_at)
        if until > delivery.since:
            delivery.unknown_ms += until - delivery.since
            delivery.unknowns = (*delivery.unknowns, (delivery.since, until))[-UNKNOWNS_MAX:]


def _count_expected(delivery: Delivery, judged: Judgement, at: Instant) -> None:
    """Keep the sum of the times in which delivery was expected."""
    if judged.state is DeliveryState.NOT_EXPECTED:
        if delivery.expected_since is not None:
            delivery.expected_ms += max(0, min(judged.since, at) - delivery.expected_since)
        delivery.expected_since = None
    elif delivery.expected_since is None:
        delivery.expected_since = max(min(judged.since, at), delivery.since)


def record(delivery: Delivery, interruption: Interruption) -> None:
    """Add an interruption that is over to the sums."""
    delivery.interrupted_ms += interruption.until - interruption.since
    delivery.interruptions.append(interruption)
    del delivery.interruptions[:-INTERRUPTIONS_MAX]
