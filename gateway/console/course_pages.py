"""The pages of courses: the list, one course with everything that can be done about it, its printed sheet, the enrolment.

An action is a form posted below the course's own path; done, the browser is sent back to the course with the gateway's words, and
refused, the page comes again with the form as it was filled in. The protocol's name stays out of the pages: it may name a drug.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from gateway.console.access import Hands, Reader, Running, Triager, Who
from gateway.console.course_forms import CONTACT_ROWS, FORMS
from gateway.console.course_words import ADVICE, PLAN, SEEN, TELLERS, evidence, stamp_of, week_of
from gateway.console.enrol_form import enrolment
from gateway.console.fields import BadField, Fields
from gateway.console.forms import read_form
from gateway.console.pages import Frame, frame_of, page
from gateway.console.problems import Trouble
from gateway.console.said import QUERY, Came, said_of
from gateway.console.sentences import said_by, shown
from gateway.console.words import message, words_in
from gateway.core.sheets import Sheets
from gateway.domain.effects import CommandResult
from gateway.runtime.service import Service
from rules.model import Protocol

router = APIRouter(include_in_schema=False)

REFUSED, UNREADABLE = 409, 422

NO_PROTOCOL = message("The ward has no such protocol; open the enrolment again.")
UNNAMED = message("its protocol")
NO_COURSE = message("No course of this name, or no form of this name, is known here.")


@router.get("/courses")
async def courses(request: Request, service: Running, _: Reader) -> HTMLResponse:
    """All courses that are remembered, those that ended too."""
    return await page(request, "courses.html", entries=service.sheets().courses())


@router.get("/courses/{course}")
async def one_course(request: Request, service: Running, who: Who, _: Reader, course: str) -> HTMLResponse:
    """One course in full."""
    done = said_of(request).find(who, request.query_params.get(QUERY, ""), frame_of(request))
    return await _show(request, service, course, Came(done=done))


@router.get("/courses/{course}/print")
async def printed(request: Request, service: Running, _: Reader, course: str) -> HTMLResponse:
    """The contact sheet and the plan of a week, for paper."""
    sheet = service.sheets().course(course)
    if sheet is None:
        raise _gone()
    frame = frame_of(request)
    days = week_of(sheet, frame.at, frame.zone, frame.locale)
    stamp = stamp_of(frame.at, frame.zone, frame.locale)
    return await page(request, "course_print.html", sheet=sheet, plan_words=PLAN, days=days, stamp=stamp)


@router.post("/courses/{course}/pump")
async def other_pump(request: Request, service: Running, who: Who, _: Hands, course: str) -> Response:
    """Another pump serves the course: technicians may say so too."""
    return await _act(request, service, who, course, "pump")


@router.post("/courses/{course}/{form}")
async def act(request: Request, service: Running, who: Who, _: Triager, course: str, form: str) -> Response:
    """One of the forms of the course's page."""
    return await _act(request, service, who, course, form)


async def _act(request: Request, service: Service, who: str, course: str, form: str) -> Response:
    given = await read_form(request)
    command_of = FORMS.get(form)
    if command_of is None or service.sheets().course(course) is None:
        raise _gone()
    try:
        command = command_of(course, _fields(request, given))
    except BadField as bad:
        return await _show(request, service, course, Came(UNREADABLE, trouble=str(bad), open=form, given=given))
    result = await service.command(who, command)
    if not result.ok:
        trouble = refusal_of(result, service.sheets(), frame_of(request))
        return await _show(request, service, course, Came(REFUSED, trouble=trouble, open=form, given=given))
    return RedirectResponse(f"/courses/{course}{said_of(request).keep(who, result)}", 303)


async def _show(request: Request, service: Service, course: str, came: Came) -> HTMLResponse:
    sheets = service.sheets()
    sheet = sheets.course(course)
    if sheet is None:
        raise _gone()
    return await page(
        request,
        "course.html",
        status=came.status,
        sheet=sheet,
        evidence=evidence,
        plan_words=PLAN,
        tellers=TELLERS,
        seen_words=SEEN,
        advice=ADVICE,
        transports=sheets.transports,
        contact_rows=range(CONTACT_ROWS),
        done=came.done,
        trouble=came.trouble,
        open=came.open,
        given=came.given,
    )


# ---- enrolment -----------------------------------------------------------------------------------------------------------


@router.get("/enrol")
async def enrol_form(request: Request, service: Running, _: Triager, protocol: str = "0") -> HTMLResponse:
    """The form; where the ward has several protocols `protocol` is the place of one among them."""
    return await _enrol_page(request, service, protocol, Came())


@router.post("/enrol")
async def enrol(request: Request, service: Running, who: Who, _: Triager) -> Response:
    """A course begins."""
    given = await read_form(request)
    sheets, place = service.sheets(), given.get("protocol", "")
    try:
        command = enrolment(_fields(request, given), _protocol_at(sheets, place), sheets.at)
    except BadField as bad:
        return await _enrol_page(request, service, place, Came(UNREADABLE, trouble=str(bad), open="enrol", given=given))
    result = await service.command(who, command)
    if not result.ok:
        trouble = refusal_of(result, sheets, frame_of(request))
        return await _enrol_page(request, service, place, Came(REFUSED, trouble=trouble, open="enrol", given=given))
    return RedirectResponse(f"/courses/{command.course}{said_of(request).keep(who, result)}", 303)


async def _enrol_page(request: Request, service: Service, place: str, came: Came) -> HTMLResponse:
    sheets = service.sheets()
    return await page(
        request,
        "enrol.html",
        status=came.status,
        trouble=came.trouble,
        open=came.open,
        given=came.given,
        protocols=sheets.protocols,
        place=place,
        protocol=_protocol_at(sheets, place),
        transports=sheets.transports,
    )


def _protocol_at(sheets: Sheets, place: str) -> Protocol:
    """The ward's protocol at this place. Raises `Trouble` 404 where there is none."""
    known = {str(number): protocol for number, protocol in enumerate(sheets.protocols)}
    if place not in known:
        raise Trouble(404, NO_PROTOCOL)
    return known[place]


# ---- shared by the pages of courses and pumps --------------------------------------------------------------------------------


def refusal_of(result: CommandResult, sheets: Sheets, frame: Frame) -> str:
    """Why the gateway refused, in the reader's language and without the names of protocols: they may name a drug."""
    words, unnamed = shown(said_by(result), frame), words_in(frame.locale)(UNNAMED)
    names = {protocol.name for protocol in sheets.protocols}
    if result.said is not None and "protocol" in result.said.values:
        names.add(str(result.said.values["protocol"]))  # it may not be loaded any more
    for name in sorted(names - {""}, key=len, reverse=True):
        words = words.replace(f"protocol {name}", unnamed).replace(name, unnamed)
    return words


def _fields(request: Request, given: Mapping[str, str]) -> Fields:
    frame = frame_of(request)
    return Fields(given, frame.zone, words_in(frame.locale))


def _gone() -> Trouble:
    return Trouble(404, NO_COURSE)
