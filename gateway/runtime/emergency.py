"""The path that does not need the disk: when the gateway itself fails, the fallback people are told at once, and again."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.core.oncall import resolve
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.ward import Ward
from gateway.runtime.ports import Clock, Transport
from gateway.runtime.telling import Teller

REPEAT_MS = 10 * MINUTE_MS
RETRY_MS = 30 * SECOND_MS  # when nobody could be told
STEADY_MS = MINUTE_MS  # it has stored for so long: over. A disk at its brink must not page once a second
SAID_ONCE_MAX = 20  # messages that wait to be told once; more: the oldest are in the log and in the findings only


@dataclass(slots=True)
class _Trouble:
    """One kind of trouble that lasts. `again_at`: when people are told again; None: they think that all is well."""

    over: str
    text: str | None = None
    changed_at: Instant = 0
    again_at: Instant | None = None


class Emergency:
    """Pages `policies.fallback` directly while the journal stores nothing or work stands still; says so when it is over."""

    def __init__(self, transports: Mapping[str, Transport], clock: Clock, ward: Callable[[], Ward]) -> None:
        self._teller, self._clock, self._ward = Teller(transports, clock), clock, ward
        self._disk = _Trouble("Dripwatch stores again; what the pumps sent meanwhile is being read.")
        self._standstill = _Trouble("Dripwatch works again; what was due meanwhile is being paged.")
        self._once: deque[str] = deque(maxlen=SAID_ONCE_MAX)
        self._once_at: Instant = 0
        self._changed = asyncio.Event()

    def note(self, reason: str | None) -> None:
        """The journal stores nothing because of `reason`; None: it stores again."""
        text = f"Dripwatch stores nothing: {reason}. Pumps are NOT watched. Call the on-call engineer."
        self._note(self._disk, None if reason is None else text)

    def note_standstill(self, reason: str | None) -> None:
        """What is due is not done because of `reason`; None: it is done again."""
        text = f"Dripwatch is stuck: {reason}. Pages may NOT go out. Call the on-call engineer."
        self._note(self._standstill, None if reason is None else text)

    def say(self, text: str) -> None:
        """Tell this once, as soon as somebody can be told."""
        self._once.append(text)
        self._changed.set()

    async def run(self) -> None:
        """Tell people for as long as it lasts, until cancelled."""
        while True:
            self._changed.clear()
            due = [await self._tell_what_is_due(trouble) for trouble in (self._disk, self._standstill)]
            due.append(await self._tell_what_waits())
            await self._wait_until(min((at for at in due if at is not None), default=None))

    def _note(self, trouble: _Trouble, text: str | None) -> None:
        if (text is None) is not (trouble.text is None):
            trouble.changed_at = self._clock.now()
        trouble.text = text
        self._changed.set()

    async def _tell_what_is_due(self, trouble: _Trouble) -> Instant | None:
        """Say what is to be said now; returns when to look again, None: when something changes."""
        now = self._clock.now()
        if trouble.text is not None:
            if trouble.again_at is None or now >= trouble.again_at:
                told = await self._tell(trouble.text)
                trouble.again_at = self._clock.now() + (REPEAT_MS if told else RETRY_MS)
            return trouble.again_at
        if trouble.again_at is None:
            return None
        if now < trouble.changed_at + STEADY_MS:
            return trouble.changed_at + STEADY_MS
        trouble.again_at = None
        await self._tell(trouble.over)
        return None

    async def _tell_what_waits(self) -> Instant | None:
        """Say what is said once; what nobody could be told is tried again later."""
        while self._once and self._clock.now() >= self._once_at:
            text = self._once[0]
            if not await self._tell(text):
                self._once_at = self._clock.now() + RETRY_MS
            elif self._once[0] is text:  # it may have been pushed out meanwhile
                self._once.popleft()
        return self._once_at if self._once else None

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
        """Whether a transport took it for at least one of the fallback people."""
        ward = self._ward()
        people = resolve(ward.fallback, ward, self._clock.now())
        return await self._teller.tell((ward.people[name] for name in people if name in ward.people), text)
