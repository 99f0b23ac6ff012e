"""TCP as a line: a connection that we make, and one that a device makes to us."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

from gateway.outside.lines import READ_BYTES, Line, LineLost

CONNECT_S = 10.0
SEND_DEADLINE_S = 10.0
CALLERS_MAX = 8  # connections of devices at one listener; full: the next is closed at once


@contextlib.asynccontextmanager
async def tcp_line(host: str, port: int) -> AsyncIterator["TcpLine"]:
    """A connection to a device or its serial server. Raises `LineLost`."""
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port, limit=READ_BYTES)
    except TimeoutError:
        raise LineLost(f"{where}: no answer within {CONNECT_S:g} s") from None
    except (OSError, UnicodeError) as error:
        raise LineLost(f"{where}: {_words(error)}") from error
    try:
        _keep_alive(writer)
        yield TcpLine(reader, writer, where)
    finally:
        writer.close()


async def serve_lines(host: str, port: int, talk: Callable[[Line], Awaitable[None]]) -> None:
    """Take devices that connect, each with a `talk` of its own, until cancelled. Raises `LineLost` when it cannot listen."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as a task
        try:
            if len(tasks) < CALLERS_MAX:
                tasks.add(task)
                _keep_alive(writer)
                with contextlib.suppress(LineLost):
                    await talk(TcpLine(reader, writer, "the caller"))
        except asyncio.CancelledError:
            return  # we end, and asyncio would print it
        finally:
            tasks.discard(task)
            writer.close()

    try:
        server = await asyncio.start_server(serve, host, port, limit=READ_BYTES)
    except OSError as error:
        raise LineLost(f"cannot listen on {host}:{port}: {_words(error)}") from error
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class TcpLine:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, where: str) -> None:
        self._reader, self._writer, self._where = reader, writer, where

    async def receive(self) -> bytes:
        """See `Line`."""
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError as error:
            raise LineLost(f"{self._where}: {_words(error)}") from error
        if not data:
            raise LineLost(f"{self._where}: the other side closed the connection")
        return data

    async def send(self, data: bytes) -> None:
        """See `Line`."""
        try:
            async with asyncio.timeout(SEND_DEADLINE_S):
                self._writer.write(data)
                await self._writer.drain()
        except TimeoutError:
            raise LineLost(f"{self._where}: takes no bytes") from None
        except OSError as error:
            raise LineLost(f"{self._where}: {_words(error)}") from error


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let the kernel find out within a minute that the other side has lost its power: nobody else would tell."""
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3)):
        wire.setsockopt(socket.IPPROTO_TCP, option, value)


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; is the device on, and are address and port right?"
    if isinstance(error, socket.gaierror):
        return "nobody has this name; write the device's address, or mend the name"
    number = getattr(error, "errno", None)  # whose words are the system's own; asyncio puts addresses around them
    return (os.strerror(number) if number else str(error) or type(error).__name__).lower()
