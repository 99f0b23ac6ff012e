"""Reads one line for as long as the bridge runs: opens it, talks, and opens it again when it was lost."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from gateway.bridge.conversation import Conversation, Heard
from gateway.bridge.intake import Intake, Served
from gateway.domain.instants import SECOND_MS, Instant
from gateway.outside.lines import Line, LineLost, OpenLine

REOPEN_S = 1.0  # after the first loss; doubling
REOPEN_MAX_S = 30.0
STEADY_MS = 60 * SECOND_MS  # a line that lived so long was a good one
UNANSWERED_MS = 30 * SECOND_MS  # a device that we ask and that says nothing: the line is opened anew

_log = logging.getLogger(__name__)


class LineReader:
    """One line and the devices on it. `uptime` is the clock that never jumps; `finding` says what keeps us from reading."""

    def __init__(
        self,
        name: str,
        served: Sequence[Served],
        intake: Intake,
        talk: Callable[[], Conversation],
        uptime: Callable[[], Instant],
    ) -> None:
        self.name = name
        self._served, self._intake, self._talk, self._uptime = served, intake, talk, uptime
        self.finding: str | None = None
        self.garbled = 0

    async def keep_open(self, open_line: OpenLine) -> None:
        """Open, read, and after a loss open again: 1 s later, doubling up to 30 s; until cancelled."""
        failures = 0
        while True:
            opened_at = self._uptime()
            try:
                async with open_line() as line:
                    await self.read(line)
            except LineLost as lost:
                failures = 1 if self._uptime() - opened_at >= STEADY_MS else failures + 1
                self._lost(str(lost))
            await asyncio.sleep(min(REOPEN_MAX_S, REOPEN_S * 2.0 ** min(failures - 1, 10)))

    async def read(self, line: Line) -> None:
        """Read an open line to its end. Raises `LineLost`."""
        talk, heard_at = self._talk(), self._uptime()
        while True:
            said, given_up = talk.say(self._uptime())
            self._take(given_up)
            if said:
                await line.send(said)
            data = await self._receive(line, talk.due_at)
            heard = talk.receive(data, self._uptime()) if data else []
            self._take(heard)
            self.garbled += talk.garbled
            talk.garbled = 0
            if heard or talk.due_at is None:
                heard_at = self._uptime()
            elif self._uptime() - heard_at >= UNANSWERED_MS:
                raise LineLost(f"no answer for {UNANSWERED_MS // SECOND_MS} s; is the device on, and are cable and speed right?")

    async def _receive(self, line: Line, until: Instant | None) -> bytes:
        """Bytes, or none when the time is over. Not `wait_for`: it may forget that we were cancelled."""
        if until is None:
            return await line.receive()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, until - self._uptime()) / SECOND_MS):
                return await line.receive()
        return b""

    def _take(self, heard: list[Heard]) -> None:
        if heard and self.finding is not None:
            _log.warning("%s: read again", self.name)
            self.finding = None
        for body, slot in heard:
            for served in self._served:
                if slot in (None, served.slot):
                    self._intake.take(served, body)

    def _lost(self, why: str) -> None:
        finding = why if why.startswith(self.name) else f"{self.name}: {why}"
        if finding != self.finding:
            _log.warning("%s", finding)
        self.finding = finding
