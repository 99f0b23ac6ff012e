"""The board and the wall: rendered here, live where the browser allows it."""

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.responses import Response

from gateway.console.access import Running, Viewer, Visitor
from gateway.console.board_view import TILES_MAX, Seen, seen, view_of
from gateway.console.live import Live, Sight, TooManyWatchers
from gateway.console.pages import Frame, answer, frame_of, frame_without_request, lay_out
from gateway.console.problems import Trouble
from gateway.console.wall_view import TILES_ON_THE_WALL_MAX, wall_of
from gateway.console.words import words_in
from gateway.runtime.service import Service

BOARD, WALL = "board", "wall"
LOOK_S = 0.25
SHEETS_MAX = 99

router = APIRouter(include_in_schema=False)


@router.get("/")
async def board_page(request: Request, service: Running, viewer: Viewer) -> HTMLResponse:  # noqa: ARG001  admission
    """The whole page; without JavaScript it asks for itself again every eight seconds."""
    frame = frame_of(request)
    return answer(await asyncio.to_thread(_board, "board.html", frame, seen(service)), frame)


@router.get("/wall")
async def wall_page(
    request: Request,
    service: Running,
    viewer: Viewer,  # noqa: ARG001  admission
    sheet: Annotated[int, Query(ge=1, le=SHEETS_MAX)] = 1,
) -> HTMLResponse:
    """The board for a screen that nobody touches; without JavaScript it asks for its next sheet every eight seconds."""
    frame = frame_of(request)
    return answer(await asyncio.to_thread(_wall, "wall.html", frame, seen(service), sheet), frame)


@router.get("/live")
async def live_board(request: Request, viewer: Viewer, view: Annotated[str, Query(pattern="^(board|wall)$")] = BOARD) -> Response:
    """The board or the wall as server-sent events, in the language and with the buttons of whoever asks."""
    live: Live = request.app.state.live
    packed = "gzip" in request.headers.get("accept-encoding", "")
    try:
        events = live.watch(Sight(view, frame_of(request).locale, viewer.role), packed=packed)
    except TooManyWatchers as full:
        raise Trouble(503, full.said) from full
    headers = {"X-Accel-Buffering": "no", "Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


class Look:
    """The board for all who watch. Making it keeps the event loop busy: each is shared, and the next comes `LOOK_S` later."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._one_at_a_time = asyncio.Lock()
        self._made: Seen | None = None
        self._version, self._next_s = 0, 0.0

    async def now(self) -> Seen:
        """With everything that had happened when this was asked."""
        wanted, time_s = await self._service.changed(0), asyncio.get_running_loop().time
        async with self._one_at_a_time:
            if self._made is None or self._version < wanted or time_s() >= self._next_s:
                await asyncio.sleep(max(0.0, self._next_s - time_s()))
                self._version = await self._service.changed(0)
                self._made, self._next_s = seen(self._service), time_s() + LOOK_S
            return self._made


def live_of(service: Service) -> Live:
    """What everybody who watches is fed by."""
    look = Look(service)

    async def render(sight: Sight) -> str:
        """The part that changes. It is nobody's in particular: live.js puts the reader's own mark into the forms."""
        visitor = Visitor(name="", role=sight.role, via="live")
        frame, told = frame_without_request(service, sight.locale, visitor), await look.now()
        if sight.view == WALL:
            return await asyncio.to_thread(_wall, "wall_live.html", frame, told, 1)
        return await asyncio.to_thread(_board, "board_live.html", frame, told)

    return Live(service, render)


def _board(template: str, frame: Frame, told: Seen) -> str:
    return lay_out(template, _as_of(frame, told), {"view": view_of(told, words_in(frame.locale), TILES_MAX)})


def _wall(template: str, frame: Frame, told: Seen, sheet: int) -> str:
    view = view_of(told, words_in(frame.locale), TILES_ON_THE_WALL_MAX)
    wall = wall_of(view)
    shown = (sheet - 1) % len(wall.sheets) + 1
    values = {"view": view, "wall": wall, "shown": shown, "next": shown % len(wall.sheets) + 1}
    return lay_out(template, _as_of(frame, told), values)


def _as_of(frame: Frame, told: Seen) -> Frame:
    """Ages are told as of the board's own instant."""
    return replace(frame, at=told.board.at)
