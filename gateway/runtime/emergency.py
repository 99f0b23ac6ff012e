"""The path that does not need the disk: when the journal cannot store, the fallback people are told at once, and again."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from gateway.core.oncall import resolve
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.ward import Contact, Ward
from gateway.runtime.ports import Accepted, Clock, Message, Transport

REPEAT_MS = 10 * MINUTE_MS
RETRY_MS = 30 * SECOND_MS  # when nobody could be told
STEADY_MS = MINUTE_MS  # it has stored for so long: over. A disk at its brink must not page once a second
SEND_DEADLINE_S = 20.0

_log = logging.getLogger(__name__)


class Emergency:
    """Pages `policies.fallback` directly while the journal stores nothing; says so when it is over."""

    def __init__(self, transports: Mapping[str, Transport], clock: Clock, ward: Callable[[], Ward]) -> None:
        self._transports, self._clock, self._ward = transports, clock, ward
        self._reason: str | None = None
        self._changed_at: Instant = 0
        self._again_at: Instant | None = None  # when people are told again; None: they think that all is well
        self._changed = asyncio.Event()

    def note(self, reason: str | None) -> None:
        """The journal stores nothing because of `reason`; None: it stores again."""
        if (reason is None) is not (self._reason is None):
            self._changed_at = self._clock.now()
        self._reason = reason
        self._changed.set()

    async def run(self) -> None:
        """Tell people for as long as it lasts, until cancelled."""
        while True:
            self._changed.clear()
            await self._wait_until(await self._tell_what_is_due())

    async def _tell_what_is_due(self) -> Instant | None:
        """Say what is to be said now; returns when to look again, None: when something changes."""
        now = self._clock.now()
        if self._reason is not None:
            if self._again_at is None or now >= self._again_at:
                text = f"Dripwatch stores nothing: {self._reason}. Pumps are NOT watched. Call the on-call engineer."
                told = await self._tell(text)
                self._again_at = self._clock.now() + (REPEAT_MS if told else RETRY_MS)
            return self._again_at
        if self._again_at is None:
            return None
        if now < self._changed_at + STEADY_MS:
            return self._changed_at + STEADY_MS
        self._again_at = None
        await self._tell("Dripwatch stores again; what the pumps sent meanwhile is being read.")
        return None

    async def _wait_until(self, at: Instant | None) -> None:
        waits: set[asyncio.Task[object]] = {asyncio.create_task(self._changed.wait())}
        if at is not None:
            waits.add(asyncio.create_task(self._clock.sleep_until(at)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def _tell(self, text: str) -> bool:
        """Whether a transport took it for at least one person. Each person is told by themselves: no provider delays another."""
        at, ward = self._clock.now(), self._ward()
        people = [ward.people[name] for name in resolve(ward.fallback, ward, at) if name in ward.people]
        told = await asyncio.gather(*(self._reach(f"emergency@{at}/{who.id}", who.contacts, text) for who in people))
        if not any(told):
            _log.error("nobody could be told: %s", text)
        return any(told)

    async def _reach(self, key: str, contacts: tuple[Contact, ...], text: str) -> bool:
        """Try the person's contacts in order; the first that takes it is enough."""
        for contact in contacts:
            transport = self._transports.get(contact.transport)
            if transport is None:
                continue
            message = Message(key, contact.address, text, text[:60], urgent=True)
            try:
                async with asyncio.timeout(SEND_DEADLINE_S):  # not `wait_for`: it may forget that we were cancelled
                    result = await transport.send(message)
            except TimeoutError:
                continue
            except Exception:  # noqa: BLE001  a transport's bug must not cost the next contact
                _log.exception("transport %s failed in a way it should not", contact.transport)
                continue
            if isinstance(result, Accepted):
                return True
        return False
