"""The page of one incident: what, since when, how long is left, what to do first, everything that happened, and what can be done.

An action is a form posted below the incident's own path; done, the browser is sent back with the gateway's words, and refused,
the page comes again with the form as it was filled in. Pump events and the chart come from the journal; where that cannot be read
now the page says so and is whole otherwise.
"""

from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from gateway.console import times
from gateway.console.access import Hands, Reader, Running, Triager, Who
from gateway.console.charts import chart_of
from gateway.console.course_pages import refusal_of
from gateway.console.fields import BadField, Fields
from gateway.console.forms import read_form
from gateway.console.frames import frame_lines
from gateway.console.incident_forms import EVERYTHING, FORMS, OF_COURSES, SILENCES_MS
from gateway.console.incidents import named
from gateway.console.looks import note_look
from gateway.console.pages import Frame, frame_of, page
from gateway.console.pasts import Past
from gateway.console.problems import Trouble
from gateway.console.promises import promises_for
from gateway.console.said import QUERY, Came, said_of
from gateway.console.sentences import shown
from gateway.console.timeline import timeline, what_it_was
from gateway.console.words import message, words_in
from gateway.core.incident_sheet import IncidentSheet
from gateway.domain.instants import DAY_MS, HOUR_MS, Instant
from gateway.domain.words import IncidentState
from gateway.runtime.history import History, HistoryFailed, Messages, Series
from gateway.runtime.service import Service

router = APIRouter(include_in_schema=False)

REFUSED, UNREADABLE = 409, 422
SEQ_MAX = 2**63 - 1
SPANS_MS = {"6h": 6 * HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS}
AROUND_MS = HOUR_MS  # of an incident that is over the chart shows so much of what came then
MESSAGES_A_PAGE = 20

NO_INCIDENT = message("No such incident is remembered here; what was long ago stands in the audit.")


@router.get("/incidents/{key}")
async def incident_page(request: Request, service: Running, past: Past, who: Who, _: Reader, key: str) -> Response:
    """One incident in full. A course's or site's name leads to its open incident, else to its newest."""
    if service.sheets().incident(key) is None:
        line = named(service.incidents(about=key), key)
        if line is None:
            raise Trouble(404, NO_INCIDENT)
        return RedirectResponse(path_of(line.key), 303)
    done = said_of(request).find(who, request.query_params.get(QUERY, ""), frame_of(request))
    return await _show(request, service, past, who, key, Came(done=done))


@router.post("/incidents/{key}/{form}")
async def act(request: Request, service: Running, past: Past, who: Who, _: Triager, key: str, form: str) -> Response:
    """One of the forms of the incident's page."""
    given = await read_form(request)
    command_of, sheet = FORMS.get(form), _sheet(service, key)
    if command_of is None or (sheet.course is None and form in OF_COURSES):
        raise Trouble(404, NO_INCIDENT)
    frame = frame_of(request)
    try:
        command = command_of(sheet, Fields(given, frame.zone, words_in(frame.locale)))
    except BadField as bad:
        return await _show(request, service, past, who, key, Came(UNREADABLE, trouble=str(bad), open=form, given=given))
    result = await service.command(who, command)
    if not result.ok:
        trouble = refusal_of(result, service.sheets(), frame)
        return await _show(request, service, past, who, key, Came(REFUSED, trouble=trouble, open=form, given=given))
    return RedirectResponse(f"{path_of(key)}{said_of(request).keep(who, result)}", 303)


@router.get("/incidents/{key}/messages")
async def raw_messages(
    request: Request,
    service: Running,
    past: Past,
    who: Who,
    _: Hands,
    key: str,
    before: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0,
) -> HTMLResponse:
    """What the pump sent around the incident, byte by byte. That somebody looked stands in the audit before anything is shown."""
    sheet = _sheet(service, key)
    if not sheet.device:
        raise Trouble(404, NO_INCIDENT)
    since, until = sheet.line.opened_at - SPANS_MS["6h"], _end_of(sheet, service.now()) + 1
    await note_look(service, who, sheet.device, key)
    told = Messages()
    trouble = ""
    try:
        told = await past.messages(
            service.board().site, sheet.device, since=since, until=until, before=before, limit=MESSAGES_A_PAGE
        )
    except HistoryFailed as failed:
        trouble = shown(failed.said, frame_of(request))
    return await page(
        request,
        "incident_messages.html",
        sheet=sheet,
        path=path_of(key),
        frames=frame_lines(told.found),
        older=told.next_before,
        trouble=trouble,
    )


async def _show(request: Request, service: Service, past: History, who: str, key: str, came: Came) -> HTMLResponse:
    sheets = service.sheets()
    sheet, frame = _sheet(service, key), frame_of(request)
    span = request.query_params.get("span", "")
    span = span if span in SPANS_MS else "6h"
    say = words_in(frame.locale)
    clock = partial(times.clock, now=frame.at, zone=frame.zone, locale=frame.locale)
    promises = promises_for(sheet, sheets, who, say, clock)
    series, failed = await _series(past, service.board().site, sheet, span, frame)
    pages = [line for line in service.pages() if line.page.incident == key]
    return await page(
        request,
        "incident_page.html",
        status=came.status,
        sheet=sheet,
        line=sheet.line,
        firsts=tuple(
            dict.fromkeys(words for alert in sheet.line.alerts if (words := alert.translated.get(frame.locale, alert.first)))
        ),
        was=what_it_was(sheet.line.history, say),
        path=path_of(key),
        is_open=sheet.line.state is not IncidentState.RESOLVED,
        promises=promises,
        silences=SILENCES_MS,
        everything=EVERYTHING,
        chart=chart_of(series, sheet.stretches, device=sheet.device, zone=frame.zone, say=say) if series else None,
        chart_failed=failed,
        spans=tuple(SPANS_MS),
        span=span,
        timeline=timeline(sheet.line.history, series.happened if series else (), pages, say),
        done=came.done,
        trouble=came.trouble,
        open=came.open,
        given=came.given,
    )


async def _series(past: History, site: str, sheet: IncidentSheet, span: str, frame: Frame) -> tuple[Series | None, str]:
    """The pump's past around the incident, or why it cannot be shown."""
    if not sheet.device:
        return None, ""
    until = _end_of(sheet, frame.at)
    try:
        return await past.series(site, sheet.device, since=until - SPANS_MS[span], until=until), ""
    except HistoryFailed as failed:
        return None, shown(failed.said, frame)


def _end_of(sheet: IncidentSheet, at: Instant) -> Instant:
    """Until when the chart shows what was: now, or a while after the end of what is over."""
    return min(at, sheet.line.closed_at + AROUND_MS) if sheet.line.closed_at is not None else at


def path_of(key: str) -> str:
    """The page of this incident."""
    return f"/incidents/{quote(key, safe='@+.')}"


def _sheet(service: Service, key: str) -> IncidentSheet:
    sheet = service.sheets().incident(key)
    if sheet is None:
        raise Trouble(404, NO_INCIDENT)
    return sheet
