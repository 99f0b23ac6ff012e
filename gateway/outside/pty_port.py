"""A serial port that is none: a pseudo-terminal with a name that stays, also when its cable is pulled and put in again."""

import asyncio
import contextlib
import errno
import os
import pty
import tty
from pathlib import Path

READ_BYTES = 4_096
HEARD_MAX = 64  # reads that nobody has taken; full: the rest is lost, as in a port that nobody serves


class PtyPort:
    """`link` is what others open; it exists while the port is plugged in. For one event loop."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(HEARD_MAX)
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Put it in. Raises OSError: no more pseudo-terminals, or the link's place cannot be written."""
        controller, follower = pty.openpty()
        self._ends = (controller, follower)  # our own follower keeps the line open while nobody else has it
        try:
            tty.setraw(follower)
            os.set_blocking(controller, False)
            self.link.symlink_to(os.ttyname(follower))
        except OSError:
            self._close()
            raise
        asyncio.get_running_loop().add_reader(controller, self._readable, controller)

    def unplug(self) -> None:
        """Pull it: who has it open reads its end."""
        if self._ends is None:
            return
        asyncio.get_running_loop().remove_reader(self._ends[0])
        with contextlib.suppress(OSError):
            self.link.unlink()
        self._close()

    async def receive(self) -> bytes:
        """Some bytes, as soon as there are any."""
        return await self._heard.get()

    def send(self, data: bytes) -> None:
        """What nobody reads is lost when the line is full, and everything while it is not plugged in."""
        if self._ends is None:
            return
        try:
            os.write(self._ends[0], data)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EIO):
                raise

    def _readable(self, controller: int) -> None:
        with contextlib.suppress(OSError, asyncio.QueueFull):
            self._heard.put_nowait(os.read(controller, READ_BYTES))

    def _close(self) -> None:
        for end in self._ends or ():
            os.close(end)
        self._ends = None
