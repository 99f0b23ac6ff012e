"""Pages on a terminal: the demo's pager."""

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable

from gateway.outside.no_receipts import no_receipts
from gateway.runtime.ports import Accepted, Message, Receipt, SendResult

KEPT_MAX = 50  # more: the oldest is forgotten


class TerminalTransport:
    """Writes each page as one line through `write`; accepts everything. `messages` are the last 50, oldest first."""

    def __init__(self, name: str, write: Callable[[str], None]) -> None:
        self.name = name
        self._write = write
        self._kept: deque[Message] = deque(maxlen=KEPT_MAX)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The last 50 messages, oldest first."""
        return tuple(self._kept)

    async def send(self, message: Message) -> SendResult:
        """Show the message; a terminal that went away does not stop the demo."""
        self._kept.append(message)
        mark = "!!" if message.urgent else "  "
        with contextlib.suppress(OSError):  # the terminal is gone; the console shows the page all the same
            self._write(f"{mark} {self.name} → {message.address}: {message.text}")
        return Accepted()

    def receipts(self) -> AsyncIterator[Receipt]:
        """None: a terminal does not say who read it."""
        return no_receipts()

    async def close(self) -> None:
        """Nothing to release."""
