"""One bound SMPP connection: questions and answers in step, a bounded window, a pulse. `smpp_transport` makes new ones.

The centre's own messages are answered when whoever takes them is done: what a nurse wrote is durable before the centre may
forget it.
"""

import asyncio
import contextlib
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

from gateway.config.settings import SmppSettings
from gateway.outside.smpp_pdu import (
    HEADER_BYTES,
    Command,
    Malformed,
    Pdu,
    Short,
    Status,
    bind_body,
    body_length,
    decode,
    next_sequence,
    read_short,
)

CONNECT_S = 4.0  # to connect, and for the answer to the bind
WINDOW = 16  # questions under way; more wait their turn
INBOUND_MAX = 100  # of the centre's messages in hand; more are asked to come later
PULSE_S = 30.0  # an enquire_link this often
PULSE_ANSWER_S = 10.0
UNBIND_S = 1.0

_log = logging.getLogger(__name__)

Take = Callable[[Short], Awaitable[int]]
"""Takes a message of the centre; returns the status to answer it with."""


class Lost(Exception):
    """The connection is gone; whatever was asked stays unanswered."""


class BindRefused(Exception):
    """The centre does not let us in; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the SMS centre refuses the bind (status 0x{status:02X})")
        self.status = status


class Session:
    """A bound connection. `run` reads until the end of it; `ask` may be called while it runs."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, take: Take) -> None:
        self._reader, self._writer, self._take = reader, writer, take
        self._sequence = 0
        self._asked: dict[int, asyncio.Future[Pdu]] = {}
        self._window = asyncio.Semaphore(WINDOW)
        self._inbound: set[asyncio.Task[None]] = set()
        self._lost = False

    @classmethod
    async def bind(cls, settings: SmppSettings, take: Take) -> "Session":
        """Connect and bind as transceiver. Raises `BindRefused`, `Lost`, OSError (TimeoutError included)."""
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(settings.host, settings.port)
        session = cls(reader, writer, take)
        body = bind_body(system_id=settings.system_id, password=settings.password or "", system_type=settings.system_type)
        try:
            async with asyncio.timeout(CONNECT_S):
                await session._bind(body)
        except BaseException:
            writer.close()
            raise
        return session

    async def _bind(self, body: bytes) -> None:
        question = self._next(Command.BIND_TRANSCEIVER, body)
        self._writer.write(question.encode())
        try:
            while (answer := await self._read()).sequence != question.sequence or not answer.is_answer:
                pass  # an outbind, or something that was not for us
        except (asyncio.IncompleteReadError, Malformed) as error:
            raise Lost("the SMS centre ended the connection at the bind") from error
        if answer.status != Status.OK:
            raise BindRefused(answer.status)

    @property
    def lost(self) -> bool:
        """Whether it is over."""
        return self._lost

    async def run(self) -> str:
        """Read until the connection ends; returns why, in words."""
        pulse = asyncio.create_task(self._keep_alive())
        try:
            while True:
                self._heed(await self._read())
        except Malformed as error:
            return f"the SMS centre sent {error}"
        except (asyncio.IncompleteReadError, OSError, Lost) as error:
            return str(error) if isinstance(error, Lost) else "the connection to the SMS centre ended"
        finally:
            pulse.cancel()
            self._end()

    async def ask(self, command: Command, body: bytes, begun: Callable[[], None] | None = None) -> Pdu:
        """Ask and return the answer, whatever its status. `begun` is called when the question goes out. Raises `Lost`."""
        async with self._window:
            if self._lost:
                raise Lost("the connection to the SMS centre is gone")
            question = self._next(command, body)
            answered: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
            self._asked[question.sequence] = answered
            if begun is not None:
                begun()
            try:
                self._writer.write(question.encode())
                return await answered
            finally:
                self._asked.pop(question.sequence, None)

    async def unbind(self) -> None:
        """Say goodbye, if there is somebody to say it to, and end the connection."""
        with contextlib.suppress(Lost, OSError):
            async with asyncio.timeout(UNBIND_S):
                await self.ask(Command.UNBIND, b"")
        self._end()

    def _next(self, command: Command, body: bytes) -> Pdu:
        self._sequence = next_sequence(self._sequence)
        return Pdu(command, self._sequence, Status.OK, body)

    async def _read(self) -> Pdu:
        header = await self._reader.readexactly(HEADER_BYTES)
        return decode(header, await self._reader.readexactly(body_length(header)))

    def _heed(self, pdu: Pdu) -> None:
        if pdu.is_answer:
            answered = self._asked.get(pdu.sequence)
            if answered is not None and not answered.done():
                answered.set_result(pdu)
        elif pdu.command == Command.DELIVER_SM:
            self._deliver(pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            self._writer.write(pdu.answer().encode())
        elif pdu.command == Command.UNBIND:
            self._writer.write(pdu.answer().encode())
            raise Lost("the SMS centre ended the session")
        else:
            self._writer.write(Pdu(Command.GENERIC_NACK, pdu.sequence, Status.INVALID_COMMAND).encode())

    def _deliver(self, pdu: Pdu) -> None:
        if len(self._inbound) >= INBOUND_MAX:
            self._writer.write(pdu.answer(Status.TRY_LATER, b"\0").encode())
            return
        task = asyncio.create_task(self._take_one(pdu))
        self._inbound.add(task)
        task.add_done_callback(self._inbound.discard)

    async def _take_one(self, pdu: Pdu) -> None:
        try:
            status = await self._take(read_short(pdu.body))
        except Malformed as error:
            _log.warning("the SMS centre delivered %s", error)
            status = Status.OK  # it would come again for ever
        except Exception:  # noqa: BLE001  a bug must not cost the connection, nor the centre's copy
            _log.exception("a message of the SMS centre could not be taken")
            status = Status.TRY_LATER
        if not self._lost:
            self._writer.write(pdu.answer(status, b"\0").encode())

    async def _keep_alive(self) -> None:
        """A centre that does not answer our pulse is gone, whatever TCP says."""
        while True:
            await asyncio.sleep(PULSE_S)
            try:
                async with asyncio.timeout(PULSE_ANSWER_S):
                    await self.ask(Command.ENQUIRE_LINK, b"")
            except (TimeoutError, Lost):
                self._writer.transport.abort()
                return

    def _end(self) -> None:
        self._lost = True
        for answered in self._asked.values():
            if not answered.done():
                answered.set_exception(Lost("the connection to the SMS centre was lost while sending"))
        self._writer.close()
