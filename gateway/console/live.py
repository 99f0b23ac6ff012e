"""The board as it changes, for everybody who watches: rendered once for all who see the same, nobody has a queue.

A watcher gets the newest fragment when something changed, at most twice a second, and in any event every three seconds: ages
move on, and the browser knows that the gateway is there. When rendering fails every stream ends, so that no screen shows an old
board over a living connection; the browser comes back by itself and says meanwhile since when it has heard nothing.

An event is also compressed once for all: each is a deflate block of its own that refers to nothing before it, so that the same
bytes fit into every stream, wherever that began.
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from gateway.console.roles import Role
from gateway.domain.locale import Locale
from gateway.domain.sentences import sentence
from gateway.runtime.service import Service

LEAST_S = 0.5
HEARTBEAT_S = 3.0
REST = 2  # so many times as long as rendering took we leave the processor to others
STREAM_S = 900.0  # then the browser asks again, and whoever may no longer look is told so
WATCHERS_MAX = 400  # more are told to come later

_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_RAW = -15  # zlib's name for deflate without a head

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a watcher sees: the `view` (board, wall), in which language, with the buttons of which role."""

    view: str
    locale: Locale
    role: Role


Render = Callable[[Sight], Awaitable[str]]


class TooManyWatchers(Exception):
    """The house is full."""

    said = sentence("{n} screens watch already; close one", n=WATCHERS_MAX)


class Live:
    """Runs one feed for each sight while somebody watches it. `render` gives the fragment of the board as it is now."""

    def __init__(self, service: Service, render: Render, *, least_s: float = LEAST_S, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._service = service
        self._render = render
        self._pace = (least_s, heartbeat_s)
        self._feeds: dict[Sight, _Feed] = {}
        self.watchers = 0

    def watch(self, sight: Sight, *, packed: bool = False) -> AsyncIterator[bytes]:
        """Server-sent events for one browser, until it goes away, the feed fails or `STREAM_S` is over; as gzip when `packed`.

        Raises `TooManyWatchers` at once.
        """
        if self.watchers >= WATCHERS_MAX:
            raise TooManyWatchers(str(TooManyWatchers.said))
        return self._events(sight, packed=packed)

    async def _events(self, sight: Sight, *, packed: bool) -> AsyncIterator[bytes]:
        feed, seen = self._feed(sight), 0
        ends = asyncio.get_running_loop().time() + STREAM_S
        self.watchers += 1
        feed.watchers += 1
        try:
            if packed:
                yield _GZIP_HEAD
            while await feed.is_newer(seen) and asyncio.get_running_loop().time() < ends:
                seen = feed.count
                yield feed.packed if packed else feed.event
        finally:
            self.watchers -= 1
            feed.watchers -= 1
            if not feed.watchers:
                feed.task.cancel()
                if self._feeds.get(sight) is feed:
                    del self._feeds[sight]

    def _feed(self, sight: Sight) -> "_Feed":
        feed = self._feeds.get(sight)
        if feed is None or feed.task.done():
            feed = self._feeds[sight] = _Feed(self._service, lambda: self._render(sight), self._pace)
        return feed


class _Feed:
    """The newest fragment as an event, with its number."""

    def __init__(self, service: Service, render: Callable[[], Awaitable[str]], pace: tuple[float, float]) -> None:
        self._service = service
        self._render = render
        self._least_s, self._heartbeat_s = pace
        self.count = self.watchers = 0
        self.event = self.packed = b""
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._follow())

    async def is_newer(self, seen: int) -> bool:
        """Wait for an event above number `seen`; False when there will be none."""
        while self.count <= seen and not self.task.done():
            await asyncio.wait((self._news, self.task), return_when=asyncio.FIRST_COMPLETED)
        return not self.task.done()

    async def _follow(self) -> None:
        """Render at each change, no faster than `least_s` and no slower than `heartbeat_s`."""
        version, loop = 0, asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                event = as_event(await self._render())
                self._publish(event, await asyncio.to_thread(_pack, event))
                await asyncio.sleep(max(self._least_s, REST * (loop.time() - began)))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._heartbeat_s):
                        version = await self._service.changed(version)
        except Exception:
            log.exception("the board cannot be rendered")

    def _publish(self, event: bytes, packed: bytes) -> None:
        self.count, self.event, self.packed = self.count + 1, event, packed
        news, self._news = self._news, asyncio.get_running_loop().create_future()
        news.set_result(None)


def as_event(fragment: str) -> bytes:
    """The fragment as one server-sent event named `board`."""
    lines = "".join(f"data: {line}\n" for line in fragment.splitlines() if line.strip())
    return f"event: board\n{lines}\n".encode()


def _pack(event: bytes) -> bytes:
    """A piece of any gzip stream: it refers to nothing before it and does not end the stream."""
    deflate = zlib.compressobj(level=1, wbits=_RAW)
    return deflate.compress(event) + deflate.flush(zlib.Z_FULL_FLUSH)
