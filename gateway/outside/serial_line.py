"""A serial port as a line: the only owner of pyserial. Read by the event loop; no thread, no polling."""

import asyncio
import contextlib
import re
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import serial

from gateway.outside.lines import READ_BYTES, LineLost

SEND_DEADLINE_S = 5.0  # a port with flow control that nobody serves
FRAMING = re.compile(r"([5-8])([NEOMS])(1|1\.5|2)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSettings:
    """`port` is a device file; `framing` is written `8N1`: data bits, parity (N, E, O), stop bits."""

    port: str
    baud: int = 9_600
    framing: str = "8N1"


@contextlib.asynccontextmanager
async def serial_line(settings: SerialSettings) -> AsyncIterator["SerialLine"]:
    """The open port, for this program alone. Raises `LineLost`."""
    parts = FRAMING.fullmatch(settings.framing)
    if parts is None:
        raise LineLost(f"{settings.port}: not a framing: {settings.framing}; write it like 8N1 or 7E1")
    try:
        port = serial.Serial(
            settings.port,
            settings.baud,
            bytesize=int(parts[1]),
            parity=parts[2],
            stopbits=float(parts[3]),
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
    except (serial.SerialException, termios.error, OSError, ValueError) as error:
        raise LineLost(f"{settings.port}: {_words(error)}") from error
    try:
        yield SerialLine(port)
    finally:
        port.close()


class SerialLine:
    """One open port."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    async def receive(self) -> bytes:
        """See `Line`."""
        while True:
            await self._until_readable()
            try:
                data = self._port.read(READ_BYTES)
            except (serial.SerialException, OSError) as error:
                raise LineLost(f"{self._port.name}: {_words(error)}") from error
            if data:
                return bytes(data)

    async def send(self, data: bytes) -> None:
        """See `Line`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + SEND_DEADLINE_S
        while data:
            try:
                written = self._port.write(data)
            except serial.SerialTimeoutException:
                written = 0
            except (serial.SerialException, OSError) as error:
                raise LineLost(f"{self._port.name}: {_words(error)}") from error
            data = data[written or 0 :]
            if data and loop.time() > end:
                raise LineLost(f"{self._port.name}: takes no bytes")
            if data:
                await asyncio.sleep(0.01)

    async def _until_readable(self) -> None:
        loop, number = asyncio.get_running_loop(), self._port.fileno()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(number, _resolve, readable)
        try:
            await readable
        finally:
            loop.remove_reader(number)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _words(error: Exception) -> str:
    """The system's own words, without pyserial's frame around them."""
    text = getattr(error, "strerror", None) or str(error)
    if "[Errno 2]" in str(error):
        return "there is no such port; is the cable in?"
    if "[Errno 13]" in str(error):
        return "not allowed; is this user in the group dialout?"
    if "[Errno 21]" in str(error) or "Inappropriate ioctl" in str(error):
        return "this is no serial port; look below /dev/serial/by-id"
    if "exclusively lock" in str(error):
        return "another program uses this port"
    return text.lower()


def serial_ports() -> list[str]:
    """Device files of serial adapters that are plugged in, by names that stay where there are such."""
    steady = sorted(str(path) for path in Path("/dev/serial/by-id").glob("*"))
    return steady or sorted(str(path) for kind in ("ttyUSB*", "ttyACM*", "ttyAMA*") for path in Path("/dev").glob(kind))
