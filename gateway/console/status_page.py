"""The status page: read-only, rendered here, live where the browser allows it."""

import asyncio
from pathlib import Path

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.responses import Response

from gateway.console import view
from gateway.console.access import Running
from gateway.console.care_words import CareWords, care_words
from gateway.console.live import Live, TooManyWatchers
from gateway.console.problems import Trouble
from gateway.console.times import age, clock, rfc3339
from gateway.core.board import CourseLine
from gateway.domain.instants import Instant

router = APIRouter(include_in_schema=False)

_TEMPLATES = Path(__file__).parent / "templates"


@jinja2.pass_context
def _clock(context: jinja2.runtime.Context, at: Instant) -> str:
    return clock(at, context["view"].board.at, context["view"].zone)


@jinja2.pass_context
def _to_the_second(context: jinja2.runtime.Context, at: Instant) -> str:
    return clock(at, context["view"].board.at, context["view"].zone, seconds=True)


@jinja2.pass_context
def _age(context: jinja2.runtime.Context, at: Instant) -> str:
    return age(at, context["view"].board.at)


@jinja2.pass_context
def _care(context: jinja2.runtime.Context, line: CourseLine) -> CareWords:
    return care_words(line, context["view"].board.at, context["view"].zone)


def _environment() -> jinja2.Environment:
    """Everything is escaped, and a name that a template gets wrong is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "clock": _clock,
        "to_the_second": _to_the_second,
        "age": _age,
        "care": _care,
        "rfc3339": rfc3339,
        "length": view.say_length,
        "kind": view.say_kind,
        "holder": view.say_holder,
        "people": view.say_people,
    }
    return made


templates = _environment()


async def render(template: str, service: Running) -> str:
    """The template on the board of this instant; laid out in another thread, so that a large board delays no page."""
    shown = view.view_of(service)
    return await asyncio.to_thread(templates.get_template(template).render, view=shown)


@router.get("/")
async def status_page(service: Running) -> HTMLResponse:
    """The whole page; without JavaScript it asks for itself again every ten seconds."""
    return HTMLResponse(await render("page.html", service))


@router.get("/live")
async def live_board(request: Request) -> Response:
    """The board as server-sent events."""
    live: Live = request.app.state.live
    try:
        events = live.watch()
    except TooManyWatchers as full:
        raise Trouble(503, str(full)) from full
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
