"""An SMS centre that does exactly what the test says, packet by packet: for what no well-behaved implementation does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import smpp34

from gateway.outside.smpp_pdu import HEADER_BYTES, Command, Pdu, Status, body_length, decode
from gateway.outside.smpp_transport import SmppTransport
from tests.support.transport_subjects import smpp_settings


@dataclass
class Bound:
    """One bound connection, from the centre's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def heard(self) -> Pdu:
        """The next packet from us."""
        header = await self.reader.readexactly(HEADER_BYTES)
        return decode(header, await self.reader.readexactly(body_length(header)))

    def say(self, pdu: Pdu) -> None:
        """Send a packet."""
        self.writer.write(pdu.encode())

    async def asked(self, pdu: Pdu) -> Pdu:
        """Send a packet and return the next one that answers it."""
        self.say(pdu)
        while (answer := await self.heard()).sequence != pdu.sequence or not answer.is_answer:
            pass
        return answer


@dataclass
class ScriptedCentre:
    """`bound` are the connections so far; `statuses` answer the next binds, afterwards all are let in."""

    port: int
    bound: asyncio.Queue[Bound] = field(default_factory=asyncio.Queue)
    statuses: list[int] = field(default_factory=list)
    binds: int = 0


@contextlib.asynccontextmanager
async def scripted_centre(then: Callable[[Bound], Awaitable[None]] | None = None) -> AsyncIterator[ScriptedCentre]:
    """It listens for the length of the block. Each bound connection is handed to `then`, or put into `bound`."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []
    centre = ScriptedCentre(0)

    async def serve(connection: Bound) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            question = await connection.heard()
            assert question.command == Command.BIND_TRANSCEIVER
            centre.binds += 1
            status = centre.statuses.pop(0) if centre.statuses else Status.OK
            connection.say(question.answer(status, b"centre\0"))
            if status != Status.OK:
                connection.writer.close()
            elif then is None:
                centre.bound.put_nowait(connection)
            else:
                await then(connection)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.create_task(serve(Bound(reader, writer)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    centre.port = server.sockets[0].getsockname()[1]
    async with server:
        yield centre
        for task in tasks:
            task.cancel()
        for writer in writers:
            writer.close()
        await asyncio.gather(*tasks, *(writer.wait_closed() for writer in writers), return_exceptions=True)


@contextlib.asynccontextmanager
async def bound_to(port: int, *, deadline_s: float = 60.0, **changed: str) -> AsyncIterator[SmppTransport]:
    """A transport for the centre on this port, closed at the end."""
    transport = SmppTransport(smpp_settings(port, **changed), deadline_s=deadline_s)
    try:
        yield transport
    finally:
        await transport.close()


def delivered(text: bytes, sequence: int = 1, **changed: int) -> Pdu:
    """A deliver_sm from the nurse, encoded by another implementation."""
    raw = smpp34.DeliverSm("85290000001", "13013", text, **changed).encode()
    return Pdu(Command.DELIVER_SM, sequence, body=raw[16:])


async def nobody(_address: str, _text: str) -> None:
    """Takes everything."""
