"""The work on the bench while it goes on: listens to the line, asks the gateway, and feeds both to the procedure."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.domain.instants import Instant
from gateway.field.adapter_frames import decoded
from gateway.field.adapter_live import Heard, Live, frames
from gateway.field.commissioning.gateway_side import RENEW_MS, GatewaySide
from gateway.field.commissioning.procedure import Procedure
from gateway.field.speaking import No, Wrong, printable

ASK_S = 0.3  # how fine the round trip is measured
AFTER_TROUBLE_S = 2.0

Change = Callable[[], None]


@dataclass
class Bench:
    """One commissioning under way. `changed` is called after everything that a screen may want to show.

    `line_trouble`, `gateway_trouble`: what is wrong with either, in words; empty while all is well.
    """

    procedure: Procedure
    live: Live
    gateway: GatewaySide | None
    uptime: Callable[[], Instant]
    line_trouble: str = ""
    gateway_trouble: str = ""

    async def run(self, changed: Change) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(changed))
            tasks.create_task(self._tick(changed))
            if self.gateway is not None:
                tasks.create_task(self._ask(self.gateway, changed))

    async def _listen(self, changed: Change) -> None:
        def say(words: str) -> None:
            self.line_trouble = printable(words)
            changed()

        while True:
            try:
                async with contextlib.aclosing(frames(self.live, Heard([]), say)) as caught_frames:
                    async for caught in caught_frames:
                        self.line_trouble = ""
                        self.procedure.hear(decoded(caught), self.uptime())
                        changed()
            except (No, Wrong) as trouble:
                say(trouble.message)
            await asyncio.sleep(AFTER_TROUBLE_S)

    async def _tick(self, changed: Change) -> None:
        while True:
            await asyncio.sleep(1)
            self.procedure.pass_time(self.uptime())
            changed()

    async def _ask(self, gateway: GatewaySide, changed: Change) -> None:
        announced_at = self.uptime()
        while True:
            wait_s = ASK_S
            try:
                if self.uptime() - announced_at >= RENEW_MS:
                    await asyncio.to_thread(gateway.announce)
                    announced_at = self.uptime()
                word = await asyncio.to_thread(gateway.word, self.uptime())
                self.procedure.told_by_gateway(replace(word, at=self.uptime()))
                await self._rehearse(gateway)
                self.gateway_trouble = ""
            except (No, Wrong) as trouble:
                self.gateway_trouble, wait_s = printable(trouble.message), AFTER_TROUBLE_S
            changed()
            await asyncio.sleep(wait_s)

    async def _rehearse(self, gateway: GatewaySide) -> None:
        """Whom each condition that has been seen would call; asked once each."""
        for tick in tuple(self.procedure.ticks.by_condition.values()):
            if tick.seen_at is not None and not tick.would_page:
                tick.would_page = await asyncio.to_thread(gateway.would_page, tick.condition)
