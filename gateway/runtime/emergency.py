"""The path that does not need the disk: when the journal cannot store, the fallback people are told at once, and again."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from gateway.core.oncall import resolve
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.ward import Contact, Ward
from gateway.runtime.ports import Accepted, Clock, Message, Transport

REPEAT_MS = 10 * MINUTE_MS
SEND_DEADLINE_S = 20.0

_log = logging.getLogger(__name__)


class Emergency:
    """Pages `policies.fallback` directly while the journal stores nothing; says so when it is over."""

    def __init__(self, transports: Mapping[str, Transport], clock: Clock, ward: Callable[[], Ward]) -> None:
        self._transports, self._clock, self._ward = transports, clock, ward
        self._reason: str | None = None
        self._told_at: Instant | None = None
        self._changed = asyncio.Event()

    def note(self, reason: str | None) -> None:
        """The journal stores nothing because of `reason`; None: it stores again."""
        self._reason = reason
        self._changed.set()

    async def run(self) -> None:
        """Tell people for as long as it lasts, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._reason is not None:
                await self._tell(f"Dripwatch stores nothing: {self._reason}. Pumps are NOT watched. Call the on-call engineer.")
                await self._wait_for_change(self._clock.now() + REPEAT_MS)
            if self._told_at is not None:
                self._told_at = None
                await self._tell("Dripwatch stores again; what the pumps sent meanwhile is being read.")

    async def _wait_for_change(self, until: Instant) -> None:
        waits: set[asyncio.Task[object]] = {
            asyncio.create_task(self._changed.wait()),
            asyncio.create_task(self._clock.sleep_until(until)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        self._changed.clear()

    async def _tell(self, text: str) -> None:
        self._told_at = self._clock.now()
        ward = self._ward()
        for name in resolve(ward.fallback, ward, self._told_at):
            person = ward.people.get(name)
            if person is not None:
                await self._reach(person.contacts, text)

    async def _reach(self, contacts: tuple[Contact, ...], text: str) -> None:
        """The first contact that takes it is enough."""
        for contact in contacts:
            transport = self._transports.get(contact.transport)
            if transport is None:
                continue
            message = Message(f"emergency@{self._told_at}", contact.address, text, text[:60], urgent=True)
            try:
                result = await asyncio.wait_for(transport.send(message), SEND_DEADLINE_S)
            except TimeoutError:
                continue
            if isinstance(result, Accepted):
                return
        _log.error("nobody could be told: %s", text)
