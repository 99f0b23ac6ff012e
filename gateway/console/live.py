"""The board as it changes, for everybody who watches: rendered once, sent to all, nobody has a queue.

A watcher gets the newest fragment when something changed, at most twice a second, and in any event every five seconds: ages
move on, and the browser knows that the gateway is there. When rendering fails every stream ends, so that no screen shows an old
board under a living connection; the browser comes back by itself and says meanwhile since when it has heard nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from gateway.runtime.service import Service

LEAST_S = 0.5
HEARTBEAT_S = 5.0
WATCHERS_MAX = 100  # more are told to come later


class TooManyWatchers(Exception):
    """The house is full."""


class Live:
    """One follower for all watchers; it runs while somebody watches. `render` gives the fragment of the board now."""

    def __init__(
        self, service: Service, render: Callable[[], Awaitable[str]], *, least_s: float = LEAST_S, heartbeat_s: float = HEARTBEAT_S
    ) -> None:
        self._service = service
        self._render = render
        self._least_s = least_s
        self._heartbeat_s = heartbeat_s
        self._watchers = 0
        self._count = 0
        self._event = b""
        self._news = asyncio.Condition()
        self._follower: asyncio.Task[None] | None = None

    def watch(self) -> AsyncIterator[bytes]:
        """Server-sent events for one browser, until it goes away. Raises `TooManyWatchers` at once."""
        if self._watchers >= WATCHERS_MAX:
            raise TooManyWatchers(f"{WATCHERS_MAX} screens watch already; close one")
        return self._events()

    async def _events(self) -> AsyncIterator[bytes]:
        self._watchers += 1
        try:
            seen = 0
            while (news := await self._newer_than(seen)) is not None:
                seen, event = news
                yield event
        finally:
            self._watchers -= 1
            if not self._watchers and self._follower is not None:
                self._follower.cancel()
                self._follower = None

    async def _newer_than(self, seen: int) -> tuple[int, bytes] | None:
        """The newest fragment with its number once that is above `seen`; None when the follower has failed."""
        follower = self._follower
        if follower is None:
            follower = self._follower = asyncio.create_task(self._follow())
        async with self._news:
            await self._news.wait_for(lambda: self._count > seen or follower.done())
        if follower.done():
            if self._follower is follower:
                self._follower = None
            return None
        return self._count, self._event

    async def _follow(self) -> None:
        """Render at each change, no faster than `least_s` and no slower than `heartbeat_s`."""
        version = 0
        try:
            while True:
                event = _as_event(await self._render())
                async with self._news:
                    self._count, self._event = self._count + 1, event
                    self._news.notify_all()
                await asyncio.sleep(self._least_s)
                with contextlib.suppress(TimeoutError):
                    version = await asyncio.wait_for(self._service.changed(version), self._heartbeat_s)
        finally:
            asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        """The follower is done: let the watchers see it."""

        async def wake() -> None:
            async with self._news:
                self._news.notify_all()

        asyncio.get_running_loop().create_task(wake())


def _as_event(fragment: str) -> bytes:
    """The fragment as one event named `board`."""
    lines = "".join(f"data: {line}\n" for line in fragment.splitlines() if line.strip())
    return f"event: board\n{lines}\n".encode()
