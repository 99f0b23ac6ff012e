"""The pages of pumps, for technicians: the list, one pump with all that is known of it, its raw messages.

The page of one pump holds no field to be typed into, so that it may renew itself every few seconds, with JavaScript or without.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from gateway.console.access import Hands, Reader, Running, Who
from gateway.console.charts import Chart, chart_of
from gateway.console.course_pages import refusal_of
from gateway.console.fields import NAME_MAX, BadField, Fields
from gateway.console.forms import read_form
from gateway.console.frames import Frame, RefusedFrame, frame_lines, refused_lines
from gateway.console.looks import note_look
from gateway.console.pages import frame_of, page
from gateway.console.pasts import Past
from gateway.console.problems import Trouble
from gateway.console.said import QUERY, Came, said_of
from gateway.console.sentences import shown
from gateway.console.words import message, words_in
from gateway.core.board import PumpLine
from gateway.core.pump_sheet import PumpSheet
from gateway.domain.commands import ClearCondition
from gateway.domain.instants import DAY_MS, HOUR_MS
from gateway.runtime.history import MESSAGES_MAX, SPAN_MAX_MS, History, HistoryFailed
from gateway.runtime.service import Service

router = APIRouter(include_in_schema=False)

SPANS = {"6h": 6 * HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS}
REFUSED_SHOWN = 10
FRAMES_A_PAGE = 20

NO_PUMP = message("No pump of this name was ever heard or enrolled here.")
NO_NUMBER = message("The number of a message is a whole number; open the newest messages instead.")


@router.get("/pumps")
async def pumps(request: Request, service: Running, _: Reader) -> HTMLResponse:
    """All devices that were ever heard or enrolled; those that want a technician first."""
    lines = sorted(service.board().pumps, key=lambda line: (not _is_odd(line), line.device))
    return await page(request, "pumps.html", pumps=lines)


def _is_odd(line: PumpLine) -> bool:
    """Whether it wants a technician: its messages are refused, missing or wrongly timed."""
    return bool(line.refusals or line.missing or line.clock_doubtful)


@router.get("/pumps/{device}")
async def pump(
    request: Request, service: Running, past: Past, who: Who, _: Reader, device: str, span: str = "24h"
) -> HTMLResponse:
    """One device in full, with a chart of the last hours or days."""
    done = said_of(request).find(who, request.query_params.get(QUERY, ""), frame_of(request))
    return await _show(request, service, past, device, Came(done=done), span)


@router.post("/pumps/{device}/clear")
async def clear(request: Request, service: Running, past: Past, who: Who, _: Hands, device: str) -> Response:
    """Note that a person saw the pump without a condition."""
    given = await read_form(request)
    _sheet(service, device)
    frame = frame_of(request)
    try:
        condition = Fields(given, frame.zone, words_in(frame.locale)).needed("condition", message("Condition"), NAME_MAX)
    except BadField as bad:
        return await _show(request, service, past, device, Came(422, trouble=str(bad)))
    result = await service.command(who, ClearCondition(pump=device, condition=condition))
    if not result.ok:
        return await _show(request, service, past, device, Came(409, trouble=refusal_of(result, service.sheets(), frame)))
    return RedirectResponse(f"/pumps/{device}{said_of(request).keep(who, result)}", 303)


@router.get("/pumps/{device}/messages")
async def messages(
    request: Request, service: Running, past: Past, who: Who, _: Hands, device: str, before: str = "0"
) -> HTMLResponse:
    """Raw messages beside what they were decoded to, newest first. They may hold names: each look stands in the audit."""
    _sheet(service, device)
    if not (before.isascii() and before.isdigit() and len(before) < len("9" * 19)):
        raise Trouble(404, NO_NUMBER)
    await note_look(service, who, device, "the newest" if before == "0" else f"before record {before}")
    lines: Sequence[Frame] = ()
    older, trouble = 0, ""
    try:
        found = await past.messages(
            service.board().site, device, since=0, until=service.now() + 1, before=int(before), limit=FRAMES_A_PAGE
        )
        lines, older = frame_lines(found.found), found.next_before
    except HistoryFailed as failed:
        trouble = shown(failed.said, frame_of(request))
    return await page(
        request, "pump_messages.html", device=device, frames=lines, older=older, before=int(before), trouble=trouble
    )


async def _show(request: Request, service: Service, past: History, device: str, came: Came, span: str = "24h") -> HTMLResponse:
    sheet, frame = _sheet(service, device), frame_of(request)
    span = span if span in SPANS else "24h"
    chart: Chart | None = None
    refused: Sequence[RefusedFrame] = ()
    trouble = came.trouble
    try:
        told = await past.series(service.board().site, device, since=frame.at - SPANS[span], until=frame.at + 1)
        chart = chart_of(told, sheet.stretches, device=device, zone=frame.zone, say=words_in(frame.locale))
        refused = await _refused(service, past, sheet)
    except HistoryFailed as failed:
        trouble = trouble or shown(failed.said, frame)
    return await page(
        request,
        "pump.html",
        status=came.status,
        sheet=sheet,
        chart=chart,
        refused=refused,
        spans=tuple(SPANS),
        span=span,
        done=came.done,
        trouble=trouble,
    )


async def _refused(service: Service, past: History, sheet: PumpSheet) -> Sequence[RefusedFrame]:
    """The last refused messages among the newest; a pump without any refusal is not looked through."""
    if not sheet.line.refusals:
        return ()
    now = service.now()
    found = await past.messages(
        service.board().site, sheet.line.device, since=now - SPAN_MAX_MS, until=now + 1, limit=MESSAGES_MAX
    )
    return refused_lines(found.found)[:REFUSED_SHOWN]


def _sheet(service: Service, device: str) -> PumpSheet:
    sheet = service.sheets().pump(device)
    if sheet is None:
        raise Trouble(404, NO_PUMP)
    return sheet
