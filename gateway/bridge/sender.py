"""From the spool to the broker: alarms first, each kind in its order, a bounded number under way.

A frame is done only when the broker says so (PUBACK); what fails goes back into its place.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from device_adapters.envelope import Sent, enveloped
from gateway.bridge.frames import Frame
from gateway.bridge.keeper import Keeper
from gateway.bridge.stamps import Stamper

UNDER_WAY_MAX = 20  # what Mosquitto takes from one client by default; more would wait there, not here
RETRY_S = 1.0
RETRY_MAX_S = 15.0

Publish = Callable[[str, bytes], Awaitable[None]]
"""Returns when the broker has the message; raises `ConnectionError`."""

_log = logging.getLogger(__name__)


class Sender:
    """Sends until cancelled; what fails goes back into its place."""

    def __init__(self, site: str, keeper: Keeper, stamper: Stamper, publish: Publish) -> None:
        self._site, self._keeper, self._stamper, self._publish = site, keeper, stamper, publish
        self._under_way: set[asyncio.Task[None]] = set()
        self._up = asyncio.Event()
        self._failures = 0
        self._failed = False
        self.sent = 0

    async def run(self) -> None:
        """Take, send, and wait a little after a failure: doubling, up to 15 s."""
        try:
            while True:
                if self._failed:
                    self._failures += 1
                    await self._wait_a_little()
                    self._failed = False
                for frame in await self._keeper.take(UNDER_WAY_MAX - len(self._under_way)):
                    self._start(frame)
                await self._until_room()
        finally:
            for task in self._under_way:
                task.cancel()

    async def send_again(self, frame: Frame) -> None:
        """Send a frame that the broker may have had already: the gateway knows it by its number. Raises `ConnectionError`."""
        topic, payload = self._message(frame)
        await self._publish(topic, payload)

    def link_is_up(self) -> None:
        """There is a session again: no reason to wait."""
        self._failures = 0
        self._failed = False
        self._up.set()

    async def _wait_a_little(self) -> None:
        self._up.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(RETRY_MAX_S, RETRY_S * 2.0 ** min(self._failures - 1, 10))):
                await self._up.wait()

    def _start(self, frame: Frame) -> None:
        task = asyncio.create_task(self._send(frame))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _until_room(self) -> None:
        """Until half of what is under way is done: taking one by one would ask the disk for each frame."""
        while len(self._under_way) > (0 if self._failed else UNDER_WAY_MAX // 2):
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _send(self, frame: Frame) -> None:
        topic, payload = self._message(frame)
        try:
            await self._publish(topic, payload)
        except ConnectionError as error:
            self._failed = True
            _log.debug("not sent: %s", error)
            self._keeper.hand_back(frame)
        except BaseException:
            self._keeper.hand_back(frame)
            raise
        else:
            self._failures = 0
            self.sent += 1
            self._keeper.done(frame)

    def _message(self, frame: Frame) -> tuple[str, bytes]:
        seen = self._stamper.mended(frame.seen)
        sent = Sent(seen.observed_at, frame.boot, frame.seq, seen.clock, frame.slot)
        return f"dw/v1/{self._site}/{frame.device}/{frame.channel}", enveloped(sent, frame.body)
