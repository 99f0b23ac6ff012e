"""What is learnt of a time when it is over: volume that a silence hid, and words that come late.

Both are worked out from what was said, never from the order in which it arrived: a late word changes exactly those interruptions
that would have been others, had it come in time.
"""

from dataclasses import replace

from gateway.core import delivery, flows
from gateway.core.flows import Stop
from gateway.core.state import Course, Delivery, Gap, Interruption, Pump
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import OCCLUSIONS, DeliveryState
from rules.model import Protocol

VOLUME_TOLERANCE_MIN_MS = 2 * MINUTE_MS
VOLUME_TOLERANCE_PERCENT = 6  # nominal accuracy of an ambulatory pump
GAPS_MAX = 8
LATELY_MS = 5 * SECOND_MS  # a word of so short a time before the pump's return was on its way, not kept


def is_kept(pump: Pump, observed: Instant) -> bool:
    """Whether a pump that is back had said this while nobody heard it."""
    return observed < pump.returned_at - LATELY_MS


def weigh(course: Course, pump: Pump, infused_ml: float, observed: Instant, *, boot: str, promise_ms: int, stopped: bool) -> None:
    """Let the pump's volume counter tell what happened while it was silent; then remember it. `stopped`: it stands now.

    Volume is the better witness than the commanded rate. It is compared over the whole silence, from the last word before it to
    the first after it: what was kept in between proves no more. A counter that went back or belongs to another boot was reset: it
    proves nothing; nor does what was counted for another course or bag.
    """
    if observed <= pump.infused_at or is_kept(pump, observed):
        return
    gap_ms = observed - pump.infused_at
    counted = pump.infused_ml is not None and infused_ml >= pump.infused_ml and boot == pump.infused_boot
    if pump.infused_ml is not None and counted and gap_ms >= promise_ms and pump.infused_at >= delivery.started_at(course):
        rate_ml_h = pump.set_rate_ml_h or pump.rate_ml_h or (course.bag.rate_ml_h if course.bag else 0.0)
        if rate_ml_h > 0:
            flowed_ms = round(min(gap_ms, (infused_ml - pump.infused_ml) / rate_ml_h * HOUR_MS))
            _note_volume(course.delivery, Gap(pump.infused_at, observed, gap_ms - flowed_ms), stopped=stopped)
    pump.infused_ml, pump.infused_at, pump.infused_boot = infused_ml, observed, boot


def _note_volume(judged: Delivery, gap: Gap, *, stopped: bool) -> None:
    judged.explained_at = gap.until
    if gap.missing_ms <= _tolerance_ms(gap):
        judged.confirmed_by_volume_at = judged.flowed_until = gap.until
        return
    judged.flowed_until = gap.until - gap.missing_ms
    if not stopped:  # a pump that stands is judged as interrupted since then
        judged.gaps = (*judged.gaps, gap)[-GAPS_MAX:]


def settle_gaps(course: Course, pump: Pump, protocol: Protocol) -> bool:
    """Volume that is missing over a silence, and that no stop explains of which the pump told, is a found interruption.

    Returns whether that changed any.
    """
    judged, changed = course.delivery, False
    told = _expected(course, pump, protocol, flows.stops(pump.flow))
    for gap in judged.gaps:
        known = next((one for one in judged.interruptions if _is_of(one, gap)), None)
        explained_ms = sum(max(0, min(one.until, gap.until) - max(one.since, gap.from_at)) for one in told)
        missing_ms = gap.missing_ms - explained_ms
        since = gap.until - missing_ms
        found = missing_ms > _tolerance_ms(gap) and gap.from_at >= delivery.started_at(course)
        if known is not None and (not found or known.since != since):
            _forget(judged, known)
            changed = True
        if found and (known is None or changed):
            _insert(judged, Interruption(since, gap.until, delivery.SILENCE, estimated=True, found=True))
            changed = True
    return changed


def amend(course: Course, pump: Pump, protocol: Protocol, before: list[Stop]) -> None:
    """A late word came: `before` are the stops as they were known without it.

    What it changed is recorded anew; an interruption that goes on is dated anew by the next judgement.
    """
    judged, after = course.delivery, flows.stops(pump.flow)
    if judged.state is DeliveryState.INTERRUPTED and not pump.flow.delivering:
        if pump.flow.since > judged.evidence_at:  # what went before was another stop
            judged.cause = ""
        judged.since, judged.estimated = max(judged.since, pump.flow.since), False
    if before == after:
        return
    changed = [stop for stop in before if stop not in after] + [stop for stop in after if stop not in before]
    wrong = [one for one in judged.interruptions if not _is_of_any(one, judged) and _is_among(one, changed)]
    for one in wrong:
        _forget(judged, one)
    told = [one for one in wrong if not one.found and one.noted_at]  # as it was known then: no rule has to see it again
    ends = {one.until for one in wrong} | {stop.until for stop in changed}
    known = {one.until for one in judged.interruptions if not _is_of_any(one, judged)}
    for one in _expected(course, pump, protocol, after):
        if one.until in ends - known and one.until > one.since:
            _insert(judged, replace(one, found=not told, noted_at=max((old.noted_at for old in told), default=0)))
    ended = [one.until for one in judged.interruptions if not _is_of_any(one, judged)]
    judged.interruption_ended_at = max(ended, default=0)


def shorten_unknown(judged: Delivery, observed: Instant) -> None:
    """A pump that comes back counts as unknown up to its first word of that time."""
    kept = []
    for since, until in judged.unknowns:
        end = observed if since < observed < until else until
        judged.unknown_ms -= until - end
        kept.append((since, end))
    judged.unknowns = tuple(kept)


def _expected(course: Course, pump: Pump, protocol: Protocol, stops: list[Stop]) -> list[Interruption]:
    """Those of the stops that are interruptions: delivery was expected, and they were no brief ones."""
    judged, ended_at = course.delivery, delivery.begun_at(course)
    if judged.state is DeliveryState.NOT_EXPECTED and judged.cause != delivery.STARTING:
        return []
    found = []
    for stop in stops:
        late = stop.reason in OCCLUSIONS
        if stop.until > ended_at and (late or stop.until - max(stop.since, ended_at) > delivery.BRIEF_STOP_MS):
            onset, estimated = delivery.onset_of(course, pump, protocol, stop.since, stop.before_at, occluded=late)
            found.append(Interruption(max(onset, ended_at), stop.until, stop.reason, estimated))
            ended_at = stop.until
    return found


def _tolerance_ms(gap: Gap) -> int:
    return max(VOLUME_TOLERANCE_MIN_MS, (gap.until - gap.from_at) * VOLUME_TOLERANCE_PERCENT // 100)


def _is_of(one: Interruption, gap: Gap) -> bool:
    return one.found and one.cause == delivery.SILENCE and one.until == gap.until


def _is_of_any(one: Interruption, judged: Delivery) -> bool:
    return any(_is_of(one, gap) for gap in judged.gaps)


def _is_among(one: Interruption, stops: list[Stop]) -> bool:
    """Whether it overlaps one of the stops, or was dated back to where one ended."""
    return any(stop.since < one.until and one.since <= stop.until for stop in stops)


def _insert(judged: Delivery, one: Interruption) -> None:
    delivery.record(judged, one)
    judged.interruptions.sort(key=lambda known: (known.noted_at == 0, known.until))


def _forget(judged: Delivery, one: Interruption) -> None:
    judged.interruptions.remove(one)
    judged.interrupted_ms -= one.until - one.since
