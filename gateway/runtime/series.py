"""From records to a series: decoded, put in the order of the pump's own time, thinned out for a screen. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from operator import itemgetter
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

_Heard = tuple[Instant, int, Instant, AlarmChange | AlarmsClear | PumpEvent | LinkStatus]
"""(at, seq, received_at, reading)."""


def decoded(record: Record) -> Decoded:
    """What the decoders of this version make of a device's message."""
    event = event_of(record)
    return event.decoded if isinstance(event, Heard) else Decoded()


def series_of(records: Iterable[Record], *, since: Instant, until: Instant, at_most: int, whole: bool) -> Series:
    """The series of these messages of one device, whatever their order."""
    points: list[Measured] = []
    happened: list[_Heard] = []
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
            elif isinstance(reading, AlarmChange | AlarmsClear | PumpEvent | LinkStatus):
                happened.append((at, record.seq, record.received_at, reading))
    points.sort(key=lambda point: point.at)
    happened.sort(key=itemgetter(0, 1))
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


def _news(happened: Iterable[_Heard]) -> Iterator[Happened]:
    """Without what merely goes on, and without the end of what had not begun: some pumps tell all their alarms at every poll.

    Such a pump tells no starts: what goes on after it was clear has begun.
    """
    active: set[Condition] = set()
    clear: set[Condition] = set()
    for at, seq, received_at, reading in happened:
        if isinstance(reading, AlarmsClear):
            over = () if active.isdisjoint(reading.conditions) else reading.ends()
            yield from (Happened(at, received_at, seq, end) for end in over if end.condition in active)
            active.difference_update(reading.conditions)
            clear.update(reading.conditions)
        elif not isinstance(reading, AlarmChange):
            yield Happened(at, received_at, seq, reading)
        elif _is_news(active, reading):
            begins = reading.phase is AlarmPhase.CONTINUE and reading.condition in clear
            yield Happened(at, received_at, seq, replace(reading, phase=AlarmPhase.START) if begins else reading)
            clear.discard(reading.condition)


def _is_news(active: set[Condition], change: AlarmChange) -> bool:
    """Whether this change is one, and notes what is active after it."""
    was_active = change.condition in active
    (active.discard if change.phase is AlarmPhase.END else active.add)(change.condition)
    return {AlarmPhase.CONTINUE: not was_active, AlarmPhase.END: was_active}.get(change.phase, True)


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
