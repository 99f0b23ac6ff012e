"""HL7 by MLLP: a port to which pumps, racks and their gateways connect. AA is answered when the journal has the message."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from device_adapters import hl7
from device_adapters.ihe_pcd_identity import device_of, identities
from device_adapters.mllp import MllpFramer, Unframed
from gateway.config.settings import MllpSettings, TlsSettings
from gateway.domain.readings import Refusal, Refused
from gateway.outside.inbox import Inbox
from gateway.outside.mllp_answers import Code, answer
from gateway.outside.tls import show
from gateway.runtime.ports import Clock, Dropped, Incoming, Session

READ_BYTES: Final = 64 * 1024  # of a connection at once, and what it may have in hand unanswered
CONNECTIONS_MAX: Final = 256  # full: the next is closed at once, and tries again
IN_HAND_BYTES_MAX: Final = 16 * 1024 * 1024  # on their way to the journal; full: AR, and the sender sends again
IN_HAND_MAX: Final = 5_000
MESSAGE_S: Final = 30.0  # from a message's first byte to its last; from the connection to its first message
IDLE_S: Final = 15 * 60.0  # a connection that says nothing for so long is closed; its sender connects anew
KEEP_S: Final = 30.0  # the journal takes nothing for so long: AR, and the sender sends again
SEND_S: Final = 10.0  # a sender that takes no answers is gone
LISTEN_AGAIN_S: Final = 5.0
TOLD_MAX: Final = 12  # different findings that are told; what is refused beyond them is only answered

_log = logging.getLogger(__name__)

PORT: Final = "hl7 port"  # the finding about it
_SEVERAL: Final = "several messages in one frame: send each in its own"
_NOT_ORU: Final = "ORU is read: R01, R40, R42"


@dataclass(frozen=True, slots=True)
class _Waits:
    """What a message will be answered: at once, or as soon as it is `kept`."""

    code: Code
    why: str
    message: hl7.Message | None
    kept: asyncio.Future[None] | None = None


class MllpSource:
    """The `Listener` of `gateway.runtime.listener` on TCP, with TLS where the ward file says so.

    A message whose names stand for one pump of ours is put in the journal under that pump's topic; what names no pump, several,
    or is no HL7 is answered with its reason and told once. A sender that hears no AA sends again, and that has no second effect:
    what is told twice of one instant is one thing.
    """

    def __init__(self, settings: MllpSettings, site: str, clock: Clock, noted: dict[str, str]) -> None:
        """`noted`: where findings are put, by what they are about."""
        self._settings, self._site, self._clock, self._noted = settings, site, clock, noted
        self._inbox: Inbox[Incoming | Session | Dropped] = Inbox(IN_HAND_MAX)
        self._serving: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._answers = 0
        self._told: set[str] = set()

    @property
    def connections(self) -> int:
        """How many senders are connected."""
        return len(self._serving)

    # ---- Listener --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen until cancelled; where that does not work, say why and try again."""
        own = self._settings
        while True:
            try:
                tls = None if own.tls is None else server_context(own.tls)
                handshake = {} if tls is None else {"ssl_handshake_timeout": SEND_S}
                server = await asyncio.start_server(self._serve, own.host, own.port, limit=READ_BYTES, ssl=tls, **handshake)
            except OSError as error:
                words = error.strerror.lower() if error.strerror else str(error)
                self._noted[PORT] = f"no HL7 is heard on {own.host}:{own.port}: {words}"
                await asyncio.sleep(LISTEN_AGAIN_S)
                continue
            self._noted.pop(PORT, None)
            _log.info("HL7 is heard on %s:%d for %d pumps", own.host, own.port, len(set(own.devices.values())))
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()
                for task in tuple(self._serving):
                    task.cancel()
                await asyncio.gather(*self._serving, return_exceptions=True)

    async def take(self) -> list[Incoming | Session | Dropped]:
        """See `Listener`."""
        return await self._inbox.take()

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """See `Listener`."""
        for message in messages:
            self._bytes -= len(message.payload)
            if isinstance(message.ticket, asyncio.Future) and not message.ticket.done():
                message.ticket.set_result(None)

    # ---- a connection ----------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as a task
        try:
            if len(self._serving) >= CONNECTIONS_MAX:
                self._tell(f"more than {CONNECTIONS_MAX} senders of HL7 are connected; the next are turned away")
                return
            self._serving.add(task)
            with contextlib.suppress(OSError, TimeoutError):  # the sender is gone, or says nothing: it connects anew
                await self._talk(reader, writer)
        except asyncio.CancelledError:
            return  # we end, and asyncio would print it
        finally:
            self._serving.discard(task)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        framer, until_s = MllpFramer(), loop.time() + MESSAGE_S
        while True:
            was_open = framer.is_open
            async with asyncio.timeout_at(until_s):
                data = await reader.read(READ_BYTES)
            found = framer.feed(data) if data else framer.finish()
            for waits in [self._take_in(item) for item in found]:  # all of them first: one commit for what came together
                if waits is not None:
                    await self._reply(writer, waits)
            if not data:
                return
            if any(isinstance(item, bytes) for item in found):
                until_s = loop.time() + IDLE_S
            if framer.is_open:  # a byte now and then holds no message open, and garbage no connection
                until_s = min(until_s, loop.time() + MESSAGE_S) if found or not was_open else until_s

    async def _reply(self, writer: asyncio.StreamWriter, waits: _Waits) -> None:
        """Answer when the journal has the message, or says nothing for too long."""
        code, why = waits.code, waits.why
        if waits.kept is not None:
            try:
                async with asyncio.timeout(KEEP_S):
                    await waits.kept
            except TimeoutError:
                code, why = Code.REFUSED, "not kept yet; send it again"
        self._answers += 1
        reply = answer(code, waits.message, site=self._site, at=self._clock.now(), number=self._answers, why=why)
        async with asyncio.timeout(SEND_S):
            writer.write(reply)
            await writer.drain()

    # ---- a message -------------------------------------------------------------------------------------------------

    def _take_in(self, item: bytes | Unframed) -> _Waits | None:
        """What a message is answered, and when. None: nothing; bytes that were no message, and what is an answer itself."""
        if isinstance(item, Unframed):
            refused = self._refuse(Code.REFUSED, f"{item.refused.reason}: {item.refused.detail}")
            return refused if item.refused.reason is Refusal.TOO_LARGE else None
        messages = hl7.parse(item)
        if isinstance(messages, Refused):
            return self._refuse(Code.REFUSED, f"{messages.reason}: {messages.detail}")
        message = messages[0]
        kind = message.header.component(9, 1)
        if kind == "ACK":
            return None  # or two that answer everything would never end
        if kind != "ORU" or len(messages) > 1:
            return self._refuse(Code.REFUSED, _NOT_ORU if kind != "ORU" else _SEVERAL, message)
        names = identities(message)
        device = device_of(names, self._settings.devices)
        if not isinstance(device, str):
            why = f"it names several pumps: {', '.join(device[:4])}" if device else unknown(names.all[:4])
            return self._refuse(Code.MEND, why, message)
        return self._hand_in(device, item, message)

    def _hand_in(self, device: str, payload: bytes, message: hl7.Message) -> _Waits:
        if self._bytes + len(payload) > IN_HAND_BYTES_MAX or not self._inbox.has_room.is_set():
            return _Waits(Code.REFUSED, "no room now; send it again", message)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bytes += len(payload)
        self._inbox.put(Incoming(f"dw/v1/{self._site}/{device}/raw/ihe-pcd", payload, kept))
        return _Waits(Code.KEPT, "", message, kept)

    def _refuse(self, code: Code, why: str, message: hl7.Message | None = None) -> _Waits:
        self._tell(f"HL7 refused: {why}")
        return _Waits(code, why, message)

    def _tell(self, words: str) -> None:
        """Among the gateway's findings, once each: a sender repeats itself all day."""
        if words in self._told:
            return
        if len(self._told) < TOLD_MAX:
            self._told.add(words)
            _log.warning("%s", words)
        else:
            words = "HL7 refused: more senders than are told here; their answers say why"
        self._noted[f"hl7 {len(self._told)}: {words}"] = words


def unknown(names: Sequence[str]) -> str:
    """What is said of a message whose names are nobody's."""
    said = f"names that are no pump's: {', '.join(names)}" if names else "it names no pump"
    return f"{said}; add them to mllp.devices of the ward file"


def server_context(tls: TlsSettings) -> ssl.SSLContext:
    """What the listener shows, and with `ca` demands. Raises `OSError` for a file that cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.ca)
    if tls.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    assert tls.cert is not None  # noqa: S101 - the ward file requires it
    show(context, tls.cert, tls.key)
    return context
