"""Telling people directly: no journal, no incident, no outbox. For what must be said when these are what fails."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from gateway.domain.ward import Contact, Person
from gateway.runtime.ports import Accepted, Clock, Message, Transport

SEND_DEADLINE_S = 20.0

_log = logging.getLogger(__name__)


class Teller:
    """Tells people by their own contacts, in order, until one takes it."""

    def __init__(self, transports: Mapping[str, Transport], clock: Clock) -> None:
        self._transports, self._clock = transports, clock

    async def tell(self, people: Iterable[Person], text: str) -> bool:
        """Whether a transport took it for at least one. Each person is told by themselves: no provider delays another."""
        at = self._clock.now()
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
