"""Byte streams to and from a device: what a serial port, a TCP connection and a listener have in common."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

READ_BYTES = 4_096


class LineLost(Exception):
    """The line cannot be opened, or has ended; the text says why and where."""


class Line(Protocol):
    """An open line. One reader, one writer."""

    async def receive(self) -> bytes:
        """Some bytes, as soon as there are any. Raises `LineLost` at the end. A cancelled call takes nothing."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand bytes to the line. Raises `LineLost`."""
        ...


OpenLine = Callable[[], AbstractAsyncContextManager[Line]]
"""Opens a line for the length of a with-block. Raises `LineLost`."""
