"""A pump's past over HTTP: what it measured, thinned out for a screen, and the messages themselves for those who may see them."""

from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from gateway.console.access import Hands, Reader, Running, Who
from gateway.console.asked import Moment, to_ms
from gateway.console.frames import frame_lines
from gateway.console.looks import note_look
from gateway.console.pasts import Past
from gateway.console.problems import INVALID, Trouble, documented
from gateway.console.shapes_series import (
    HappenedShape,
    MeasuredShape,
    MessagesShape,
    RawShape,
    ReadingShape,
    RefusedShape,
    SeriesShape,
)
from gateway.domain.instants import DAY_MS, Instant
from gateway.domain.readings import AlarmChange, PumpEvent
from gateway.runtime.history import MESSAGES_MAX, POINTS_MAX, SPAN_MAX_MS, Happened, HistoryFailed, Message
from gateway.runtime.ports import Damaged
from gateway.runtime.service import Service

SEQ_MAX = 2**63 - 1

router = APIRouter(prefix="/api/v1/pumps/{device}", tags=["pumps"])

Since = Annotated[Moment | None, Query(description="an instant with its offset; a day before `until` where none is given")]
Until = Annotated[Moment | None, Query(description="an instant with its offset, not included; now where none is given")]


@router.get("/series", responses=documented(404, 503))
async def series(
    service: Running,
    past: Past,
    _: Reader,
    device: str,
    since: Since = None,
    until: Until = None,
    at_most: Annotated[int, Query(ge=10, le=POINTS_MAX)] = POINTS_MAX,
) -> SeriesShape:
    """What the pump measured and what happened to it then, read from the journal. At most 31 days at once."""
    site, since_at, until_at = _asked(service, device, since, until)
    try:
        found = await past.series(site, device, since=since_at, until=until_at, at_most=at_most)
    except HistoryFailed as failed:
        raise Trouble(503, str(failed)) from None
    return SeriesShape(
        device=device,
        since=found.since,
        until=found.until,
        points=[MeasuredShape.model_validate(point) for point in found.points],
        happened=[_happened(one) for one in found.happened],
        gap_ms=found.gap_ms,
        refused=found.refused,
        whole=found.whole,
    )


@router.get("/messages", responses=documented(404, 503))
async def messages(  # noqa: PLR0913, PLR0917  the query's parts, by name
    service: Running,
    past: Past,
    who: Who,
    _: Hands,
    device: str,
    since: Since = None,
    until: Until = None,
    before: Annotated[int, Query(ge=0, le=SEQ_MAX, description="only records below this number; 0: all")] = 0,
    limit: Annotated[int, Query(ge=1, le=MESSAGES_MAX)] = 50,
) -> MessagesShape:
    """Raw messages with what their decoder makes of them, newest first. They may hold names: each look stands in the audit."""
    site, since_at, until_at = _asked(service, device, since, until)
    await note_look(service, who, device, "API")
    try:
        found = await past.messages(site, device, since=since_at, until=until_at, before=before, limit=limit)
    except HistoryFailed as failed:
        raise Trouble(503, str(failed)) from None
    return MessagesShape(device=device, messages=[_raw(each) for each in found.found], next_before=found.next_before or None)


def _asked(
    service: Service, device: str, since: AwareDatetime | None, until: AwareDatetime | None
) -> tuple[str, Instant, Instant]:
    """(site, since, until); refused for a device that nobody knows, and for a time that ends before it begins or is too long."""
    board = service.board()
    if all(line.device != device for line in board.pumps):
        raise Trouble(404, f"no pump {device!r} was ever heard or enrolled here")
    until_at = board.at if until is None else to_ms(until)
    since_at = until_at - DAY_MS if since is None else to_ms(since)
    if not 0 <= until_at - since_at <= SPAN_MAX_MS:
        raise Trouble(422, "since must lie before until, and at most 31 days before it", kind=INVALID)
    return board.site, since_at, until_at


def _happened(one: Happened) -> HappenedShape:
    reading, phase = one.reading, ""
    if isinstance(reading, AlarmChange):
        channel, what, phase = "alarm", reading.condition.value, reading.phase.value
    elif isinstance(reading, PumpEvent):
        channel, what = "event", reading.event.value
    else:
        channel, what = "status", "online" if reading.online else "not online"
    return HappenedShape(at=one.at, received_at=one.received_at, seq=one.seq, channel=channel, what=what, phase=phase)


def _raw(found: Message | Damaged) -> RawShape:
    if isinstance(found, Damaged):
        return RawShape(seq=found.seq, damaged=found.detail)
    record, (frame,) = found.record, frame_lines([found])
    return RawShape(
        seq=record.seq,
        received_at=record.received_at,
        topic=record.topic,
        body=b64encode(record.body).decode("ascii"),
        readings=tuple(ReadingShape.model_validate(reading) for reading in frame.readings),
        readings_left=frame.readings_left,
        refused=tuple(RefusedShape.model_validate(one) for one in frame.refused),
    )
