"""A sender of HL7 by MLLP, written from the protocol's description, and a gateway's listener without the gateway behind it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from gateway.config.settings import MllpSettings
from gateway.outside.mllp_source import MllpSource
from gateway.outside.wall_clock import WallClock
from gateway.runtime.ports import Incoming
from tests.support.process import free_port

BEGIN, END = b"\x0b", b"\x1c\x0d"
SITE = "haem-ward"
PATIENCE_S = 20.0


def wrapped(message: bytes) -> bytes:
    """A message as it goes over the line."""
    return BEGIN + message + END


@dataclass
class Sender:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *messages: bytes, piece: int = 1 << 20) -> None:
        """Send them one behind the other, so many bytes at once."""
        data = b"".join(map(wrapped, messages))
        for at in range(0, len(data), piece):
            self.writer.write(data[at : at + piece])
            await self.writer.drain()

    async def answer(self) -> list[list[str]]:
        """The next answer: segments of fields."""
        async with asyncio.timeout(PATIENCE_S):
            data = await self.reader.readuntil(END)
        assert data.startswith(BEGIN)
        return [line.split("|") for line in data[1:-2].decode().split("\r") if line]

    async def ask(self, message: bytes) -> tuple[str, ...]:
        """Send one; (code, control id, why) of its answer."""
        await self.send(message)
        return tuple((await self.answer())[1][1:])

    async def closed(self) -> bytes:
        """What is left until the other side closes."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@contextlib.asynccontextmanager
async def sender(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Sender]:
    """A connection for the length of the block."""
    name = {} if tls is None else {"server_hostname": "127.0.0.1"}
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, **name)
    try:
        yield Sender(reader, writer)
    finally:
        writer.transport.abort()  # also with unsent bytes


@dataclass
class Port:
    """A listener, and what stands for the journal behind it: `keeps` says whether it takes anything."""

    source: MllpSource
    number: int
    noted: dict[str, str]
    kept: list[Incoming] = field(default_factory=list)
    keeps: asyncio.Event = field(default_factory=asyncio.Event)

    async def journal(self) -> None:
        """Take, keep, acknowledge."""
        while True:
            await self.keeps.wait()
            taken = [item for item in await self.source.take() if isinstance(item, Incoming)]
            await self.keeps.wait()
            self.kept += taken
            self.source.acknowledge(taken)


@contextlib.asynccontextmanager
async def listening(devices: dict[str, str], **settings: object) -> AsyncIterator[Port]:
    """A listener for the length of the block."""
    number, noted = free_port(), dict[str, str]()
    source = MllpSource(MllpSettings("127.0.0.1", number, devices, **settings), SITE, WallClock(), noted)
    port = Port(source, number, noted)
    port.keeps.set()
    tasks = [asyncio.create_task(source.run()), asyncio.create_task(port.journal())]
    try:
        await accepts(number)
        yield port
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def accepts(port: int) -> None:
    """Return when somebody listens."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return
