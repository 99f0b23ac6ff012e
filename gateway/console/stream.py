"""`GET /api/v1/stream`: the board's changes and the incidents' events as server-sent events, for programs.

A watcher that comes back with `Last-Event-ID` is told what it missed, or the whole board where that is not kept any more. An id
ends with the number of the event, and begins with the instant at which this gateway began to number. Nobody has a queue: a slow
watcher falls behind in the events that are kept, and gets the whole board in the end. Boards and courses hold what people wrote
(notes, calls, reasons), so that the stream is for readers: screens for everybody have the pages, which leave that out.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from gateway.console.access import Reader
from gateway.console.changes import Change, Changes
from gateway.console.problems import Trouble, documented
from gateway.console.times import rfc3339
from gateway.runtime.service import Service

LEAST_S = 0.5  # between two looks at the board
HEARTBEAT_S = 10.0
LASTS_S = 900.0  # then the stream ends and the watcher comes back by itself: a revoked token hears no more after that
WATCHERS_MAX = 50  # more are told to come later
RETRY_MS = 2_000

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", tags=["board"])


class Stream:
    """Looks at the board while anybody watches. What happened while nobody did is told to the next who comes back."""

    def __init__(
        self, service: Service, *, least_s: float = LEAST_S, heartbeat_s: float = HEARTBEAT_S, lasts_s: float = LASTS_S
    ) -> None:
        self._service = service
        self._least_s, self._heartbeat_s, self._lasts_s = least_s, heartbeat_s, lasts_s
        self._changes = Changes(lambda key: next((line for line in service.incidents(about=key) if line.key == key), None))
        self._began_at = service.now()
        self._looking: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.watchers = 0

    def watch(self, last_id: str) -> AsyncIterator[bytes]:
        """Events for one watcher, from those that it missed. Raises `Trouble` 503 at once where too many watch."""
        if self.watchers >= WATCHERS_MAX:
            raise Trouble(503, f"{WATCHERS_MAX} programs watch already; come back later")
        return self._events(last_id)

    async def _events(self, last_id: str) -> AsyncIterator[bytes]:
        self.watchers += 1
        try:
            self._look()
            ends_s = asyncio.get_running_loop().time() + self._lasts_s
            yield f"retry: {RETRY_MS}\n\n".encode()
            seen = self._number_in(last_id)
            while asyncio.get_running_loop().time() < ends_s and self._is_looking():
                missed = self._changes.since(seen) if seen is not None else None
                for change in missed if missed is not None else [self._changes.whole()]:
                    yield self._written(change)
                seen = self._changes.newest if missed is None or not missed else missed[-1].number
                if seen == self._changes.newest and not await self._has_news():
                    yield f'event: heartbeat\ndata: {{"at":"{rfc3339(self._service.now())}"}}\n\n'.encode()
        finally:
            self.watchers -= 1
            if not self.watchers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def _look(self) -> None:
        """Look at once, so that whoever comes is told of now, and go on looking."""
        self._changes.look(self._service.board())
        if not self._is_looking():
            self._looking = asyncio.create_task(self._keep_looking())
            self._looking.add_done_callback(self._tell_why_it_ended)

    def _tell_why_it_ended(self, task: asyncio.Task[None]) -> None:
        """Every stream ends with it: no program shows an old board over a living connection."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the stream's board cannot be made", exc_info=error)
        self._news.set()

    def _is_looking(self) -> bool:
        return self._looking is not None and not self._looking.done()

    async def _keep_looking(self) -> None:
        version = 0
        while True:
            before = self._changes.newest
            version = await self._service.changed(version)
            self._changes.look(self._service.board())
            if self._changes.newest != before:
                news, self._news = self._news, asyncio.Event()
                news.set()
            await asyncio.sleep(self._least_s)

    async def _has_news(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat_s):
                await self._news.wait()
            return True
        return False

    def _number_in(self, last_id: str) -> int | None:
        began, _, number = last_id.partition("-")
        return int(number) if began == str(self._began_at) and number.isdecimal() and len(number) < 18 else None

    def _written(self, change: Change) -> bytes:
        return f"id: {self._began_at}-{change.number}\nevent: {change.name}\ndata: {change.body}\n\n".encode()


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "events named board, course, course-gone, incident, gateway and heartbeat; their data are JSON objects",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/stream", response_class=StreamingResponse, responses=_EVENTS | documented(401, 403, 422, 503))
async def stream(
    request: Request,
    reader: Reader,  # noqa: ARG001  admission
    last_event_id: Annotated[str, Header(max_length=100, description="the id of the last event")] = "",
) -> StreamingResponse:
    """The board's changes and the incidents' events as they happen, as server-sent events.

    `board` comes first, and again for whoever missed too much; then `course`, `course-gone`, `incident` and `gateway`. A
    `heartbeat` comes every ten seconds in which nothing else does. The stream ends after 15 minutes; come back with the last id.
    """
    live: Stream = request.app.state.stream
    return StreamingResponse(live.watch(last_event_id), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
