"""The board as it changes, for everybody who watches: rendered once, sent to all, nobody has a queue.

A watcher gets the newest fragment when something changed, at most twice a second, and in any event every five seconds: ages
move on, and the browser knows that the gateway is there. When rendering fails every stream ends, so that no screen shows an old
board over a living connection; the browser comes back by itself and says meanwhile since when it has heard nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from gateway.runtime.service import Service

LEAST_S = 0.5
HEARTBEAT_S = 5.0
WATCHERS_MAX = 100  # more are told to come later

Render = Callable[[], Awaitable[str]]

log = logging.getLogger(__name__)


class TooManyWatchers(Exception):
    """The house is full."""


class Live:
    """Runs one feed for all watchers, while somebody watches. `render` gives the fragment of the board as it is now."""

    def __init__(self, service: Service, render: Render, *, least_s: float = LEAST_S, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._service = service
        self._render = render
        self._pace = (least_s, heartbeat_s)
        self._feed: _Feed | None = None
        self.watchers = 0

    def watch(self) -> AsyncIterator[bytes]:
        """Server-sent events for one browser, until it goes away or the feed fails. Raises `TooManyWatchers` at once."""
        if self.watchers >= WATCHERS_MAX:
            raise TooManyWatchers(f"{WATCHERS_MAX} screens watch already; close one")
        return self._events()

    async def _events(self) -> AsyncIterator[bytes]:
        if self._feed is None or self._feed.task.done():
            self._feed = _Feed(self._service, self._render, self._pace)
        feed, seen = self._feed, 0
        self.watchers += 1
        try:
            while await feed.is_newer(seen):
                seen = feed.count
                yield feed.event
        finally:
            self.watchers -= 1
            if not self.watchers and self._feed is not None:
                self._feed.task.cancel()
                self._feed = None


class _Feed:
    """The newest fragment as an event, with its number."""

    def __init__(self, service: Service, render: Render, pace: tuple[float, float]) -> None:
        self._service = service
        self._render = render
        self._least_s, self._heartbeat_s = pace
        self.count = 0
        self.event = b""
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._follow())

    async def is_newer(self, seen: int) -> bool:
        """Wait for an event above number `seen`; False when there will be none."""
        while self.count <= seen and not self.task.done():
            await asyncio.wait((self._news, self.task), return_when=asyncio.FIRST_COMPLETED)
        return not self.task.done()

    async def _follow(self) -> None:
        """Render at each change, no faster than `least_s` and no slower than `heartbeat_s`."""
        version = 0
        try:
            while True:
                self._publish(as_event(await self._render()))
                await asyncio.sleep(self._least_s)
                with contextlib.suppress(TimeoutError):
                    version = await asyncio.wait_for(self._service.changed(version), self._heartbeat_s)
        except Exception:
            log.exception("the status page cannot be rendered")

    def _publish(self, event: bytes) -> None:
        self.count, self.event = self.count + 1, event
        news, self._news = self._news, asyncio.get_running_loop().create_future()
        news.set_result(None)


def as_event(fragment: str) -> bytes:
    """The fragment as one server-sent event named `board`."""
    lines = "".join(f"data: {line}\n" for line in fragment.splitlines() if line.strip())
    return f"event: board\n{lines}\n".encode()
