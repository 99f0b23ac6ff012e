"""A transport that does what the test wrote down."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from gateway.runtime.ports import Accepted, Message, Receipt, SendResult, Unknown


def message(address: str, text: str = "P-017: no delivery since 08:15. Reply 4711", **changed: Any) -> Message:
    """A page on its way."""
    facts = {"key": "P-017@1/r1/nurse-a/0", "subject": "Dripwatch: P-017", "urgent": True} | changed
    return Message(address=address, text=text, **facts)


class FakeTransport:
    """Answers by address from `script`; an address that is not in it is accepted. `None` in the script hangs until `release`.

    `sent` holds what was accepted, in order; `asked` every attempt. `receive` feeds a receipt; `close` ends the receipts.
    """

    def __init__(self, name: str, script: Mapping[str, SendResult | None] | None = None, *, deadline_s: float = 15.0) -> None:
        self.name = name
        self.script = dict(script or {})
        self.sent: list[Message] = []
        self.asked: list[Message] = []
        self.hanging = asyncio.Semaphore(0)
        self._deadline_s = deadline_s
        self._released = asyncio.Event()
        self._receipts: asyncio.Queue[Receipt | None] = asyncio.Queue()

    def release(self) -> None:
        """Let hanging sends be accepted."""
        self._released.set()

    def receive(self, receipt: Receipt) -> None:
        """The provider reports."""
        self._receipts.put_nowait(receipt)

    async def send(self, message: Message) -> SendResult:
        """Answer as scripted."""
        self.asked.append(message)
        result = self.script.get(message.address, Accepted(f"{self.name}-{len(self.asked)}"))
        if result is None:
            self.hanging.release()
            try:
                await asyncio.wait_for(self._released.wait(), self._deadline_s)
            except TimeoutError:
                return Unknown(f"no answer within {self._deadline_s:g} s")
            result = Accepted(f"{self.name}-{len(self.asked)}")
        if isinstance(result, Accepted):
            self.sent.append(message)
        return result

    async def receipts(self) -> AsyncIterator[Receipt]:
        """What `receive` was given, until `close`."""
        while (receipt := await self._receipts.get()) is not None:
            yield receipt

    async def close(self) -> None:
        """End the receipts."""
        self._receipts.put_nowait(None)
