"""Carries out the last resort: sends again, sounds, shows, tells by the second path."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from gateway.bridge.frames import Frame
from gateway.bridge.last_resort import LastResort
from gateway.domain.instants import SECOND_MS, Instant

LOOK_EVERY_S = 1.0

Tell = Callable[[str], Awaitable[bool]]
"""Tells people about a device by the second path; whether it was taken. Never raises for what the world does."""

_log = logging.getLogger(__name__)


class LocalAlarm:
    """Looks every second. `sound` and `light` switch pins; `tell` is None where there is no second path."""

    def __init__(
        self,
        last_resort: LastResort,
        uptime: Callable[[], Instant],
        send_again: Callable[[Frame], Awaitable[None]],
        tell: Tell | None,
    ) -> None:
        self._resort, self._uptime, self._send_again, self._tell = last_resort, uptime, send_again, tell
        self._working: set[asyncio.Task[None]] = set()
        self._raised = False

    def pressed(self, _name: str, on: bool) -> None:
        """The button."""
        if on:
            self._resort.button(self._uptime())

    async def run(self, sound: Callable[[bool], None], light: Callable[[bool], None]) -> None:
        """Until cancelled. The buzzer sounds every other second."""
        while True:
            now = self._uptime()
            todo = self._resort.look(now)
            light(todo.light)
            sound(todo.sound and now // SECOND_MS % 2 == 0)
            if todo.light is not self._raised:
                self._raised = todo.light
                _log.warning("last resort: %s", "the gateway has not answered for an alarm" if todo.light else "over")
            for frame in todo.again:
                self._start(self._again(frame))
            for device in todo.tell:
                self._start(self._told(device))
            await asyncio.sleep(LOOK_EVERY_S)

    def _start(self, work: Coroutine[object, None, None]) -> None:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _again(self, frame: Frame) -> None:
        try:
            await self._send_again(frame)
        except ConnectionError as error:
            _log.debug("not sent again: %s", error)

    async def _told(self, device: str) -> None:
        if self._tell is not None and await self._tell(device):
            self._resort.was_told(device)
