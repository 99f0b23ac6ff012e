"""From records to a series: decoded, put in the order of the pump's own time, thinned out for a screen. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from statistics import median

from gateway.core.events import Heard
from gateway.core.twin import AHEAD_MAX_MS
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.readings import AlarmChange, AlarmsClear, Decoded, LinkStatus, Observation, PumpEvent, Reading
from gateway.domain.words import AlarmPhase, ClockQuality, Condition, DeliveryStatus
from gateway.runtime.history import Happened, Measured, Series
from gateway.runtime.ports import Record
from gateway.runtime.records import event_of

GAP_MIN_MS = 5 * MINUTE_MS  # a pump that is silent for less is not silent
GAP_SPACINGS = 3


def decoded(record: Record) -> Decoded:
    """What the decoders of this version make of a device's message."""
    event = event_of(record)
    return event.decoded if isinstance(event, Heard) else Decoded()


def series_of(records: Iterable[Record], *, since: Instant, until: Instant, at_most: int, whole: bool) -> Series:
    """The series of these messages of one device, whatever their order."""
    points: list[Measured] = []
    happened: list[Happened] = []
    refused = 0
    for record in records:
        told = decoded(record)
        refused += len(told.refused)
        for reading in told.readings:
            at = believed_at(reading, record.received_at)
            if not since <= at < until:
                continue
            if isinstance(reading, Observation):
                points.append(_measured(reading, at))
            elif isinstance(reading, AlarmsClear):
                happened += [Happened(at, record.received_at, record.seq, end) for end in reading.ends()]
            elif isinstance(reading, AlarmChange | PumpEvent | LinkStatus):
                happened.append(Happened(at, record.received_at, record.seq, reading))
    points.sort(key=lambda point: point.at)
    happened.sort(key=lambda each: (each.at, each.seq))
    kept = thinned(points, at_most)
    return Series(since, until, tuple(kept), tuple(_news(happened)), gap_ms(kept), refused, whole)


def thinned(points: Sequence[Measured], at_most: int) -> list[Measured]:
    """At most so many, of each bunch of neighbours the one at which the least flowed: a short stop is never hidden."""
    bunch = -(-len(points) // at_most)
    if bunch <= 1:
        return list(points)
    return [min(points[i : i + bunch], key=_flow) for i in range(0, len(points), bunch)]


def gap_ms(points: Sequence[Measured]) -> int:
    """How far apart two neighbours may be with nothing missing between them."""
    spacings = [later.at - earlier.at for earlier, later in pairwise(points)]
    return max(GAP_MIN_MS, round(GAP_SPACINGS * median(spacings))) if spacings else GAP_MIN_MS


def believed_at(reading: Reading, received_at: Instant) -> Instant:
    """The pump's time, or ours where its clock is free or ahead."""
    believed = reading.clock is ClockQuality.SYNCED and reading.observed_at <= received_at + AHEAD_MAX_MS
    return reading.observed_at if believed else received_at


def _news(happened: Iterable[Happened]) -> Iterator[Happened]:
    """Without what merely goes on, and without the end of what had not begun: some pumps tell all their alarms at every poll."""
    active: set[Condition] = set()
    for each in happened:
        if not isinstance(each.reading, AlarmChange):
            yield each
            continue
        condition, phase = each.reading.condition, each.reading.phase
        is_news = {AlarmPhase.CONTINUE: condition not in active, AlarmPhase.END: condition in active}.get(phase, True)
        (active.discard if phase is AlarmPhase.END else active.add)(condition)
        if is_news:
            yield each


def _flow(point: Measured) -> float:
    if point.delivering is False:
        return -1.0
    return point.rate_ml_h if point.rate_ml_h is not None else inf


def _measured(reading: Observation, at: Instant) -> Measured:
    status = reading.delivery_status
    point = Measured(
        at=at,
        rate_ml_h=reading.rate_ml_h,
        set_rate_ml_h=reading.set_rate_ml_h,
        infused_ml=reading.infused_ml,
        remaining_ml=reading.remaining_ml,
        battery_percent=reading.battery_percent,
    )
    return point if status is None else replace(point, delivering=status in _FLOWS)


_FLOWS = (DeliveryStatus.DELIVERING, DeliveryStatus.TRANSITIONING)
