"""Text messages straight to an SMS centre, SMPP 3.4: one transceiver bind that is kept up, for pages, receipts and replies.

What a centre's answers mean to us, and why this is our own code, is in docs/adr/0013.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator

from gateway.config.settings import SmppSettings
from gateway.outside.backoff import backoff_s
from gateway.outside.receipt_box import ReceiptBox
from gateway.outside.smpp_pdu import Command, Short, Status, read_text, submit_body
from gateway.outside.smpp_receipts import Parts, is_receipt, is_written, read_receipt, written_text
from gateway.outside.smpp_session import CONNECT_S, BindRefused, Lost, Session
from gateway.outside.sms_text import coded, phone_number, with_headings
from gateway.runtime.ports import Accepted, JournalFull, Message, Receipt, Rejected, SendResult, Unknown
from gateway.runtime.two_way import TakeReply

DEADLINE_S = 15.0  # for the answers to all parts of a message, once bound
BOUND_WITHIN_S = 4.0  # how long a message waits for the bind
LEAST_BACKOFF_S = 1.0
MOST_BACKOFF_S = 30.0
REPLY_MAX = 1_000  # characters of what people write; the rest says nothing more

# Statuses that will be the same next time. Everything else, vendors' own included, is tried again: in doubt a page is sent twice.
_FOR_GOOD: dict[int, str] = {
    0x01: "message too long",
    Status.INVALID_SOURCE: "sender not allowed",
    Status.INVALID_DESTINATION: "no such number",
    0x34: "no such distribution list",
    0x48: "type of the sender's number not allowed",
    0x49: "numbering plan of the sender not allowed",
    0x50: "type of the number not allowed",
    0x51: "numbering plan of the number not allowed",
    0x65: "the SMS centre says: never",
    0x66: "the SMS centre refused the message",
}
_FOR_NOW: dict[int, str] = {Status.QUEUE_FULL: "its queue is full", Status.THROTTLED: "too many messages a second"}
_NO_ENTRY = (Status.INVALID_PASSWORD, Status.INVALID_SYSTEM_ID)

_log = logging.getLogger(__name__)


class SmppTransport:
    """One account at one centre. It binds at the first message, or when replies are asked for, and stays bound until closed."""

    def __init__(self, settings: SmppSettings, *, deadline_s: float = DEADLINE_S) -> None:
        self.name = settings.name
        self._settings = settings
        self._deadline_s = deadline_s
        self._box = ReceiptBox()
        self._parts = Parts(self._box.put)
        self._take_reply: TakeReply | None = None
        self._references = itertools.count(1)
        self._session: Session | None = None
        self._refusal: Rejected | None = None  # why the last bind failed; None while one is under way
        self._tried = asyncio.Event()  # a bind was tried since somebody began to wait
        self._hurry = asyncio.Event()  # somebody waits: no backoff longer than the least
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    # ---- Transport -------------------------------------------------------------------------------------------------

    async def send(self, message: Message) -> SendResult:
        """Submit the message. `Accepted` means that the centre gave every part an id; delivered is what a receipt says."""
        number = phone_number(message.address)
        if number is None:
            return Rejected("the address is not one telephone number")
        session = await self._bound()
        if isinstance(session, Rejected):
            return session
        begun: list[bool] = []
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._submit(session, number, message.text, begun)
        except TimeoutError:
            words = f"no answer within {self._deadline_s:g} s"
            return Unknown(words) if begun else Rejected("the SMS centre answers nothing that was sent before", temporary=True)
        except Lost as lost:
            return Unknown(str(lost)) if begun else Rejected(str(lost), temporary=True)

    def receipts(self) -> AsyncIterator[Receipt]:
        """Receipts as they come, until closed."""
        return self._box.receipts()

    async def close(self) -> None:
        """End receipts and replies, unbind, and let the connection go."""
        self._closed = True
        self._box.close()
        if self._session is not None:
            await self._session.unbind()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        self._tried.set()

    async def probe(self) -> str | None:
        """Whether somebody listens there. No more: a second bind of the same account may end the running gateway's own."""
        host, port = self._settings.host, self._settings.port
        try:
            async with asyncio.timeout(CONNECT_S):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, ValueError) as error:
            return (
                f"{host}:{port} cannot be reached ({type(error).__name__}); is the SMS centre running, and is the address right?"
            )
        writer.close()
        return None

    # ---- TwoWay ----------------------------------------------------------------------------------------------------

    def take_replies(self, take: TakeReply) -> None:
        """From now on hand what people write to `take`; the centre is told that we have it when `take` returns."""
        self._take_reply = take
        self._keep_bound()

    # ---- sending ---------------------------------------------------------------------------------------------------

    async def _submit(self, session: Session, number: str, text: str, begun: list[bool]) -> SendResult:
        """All parts, one after the other; the first that is refused ends it."""
        message = coded(text)
        with self._parts.sending() as whole:
            for part in with_headings(message.parts, next(self._references)):
                body = submit_body(
                    sender=self._settings.sender,
                    to=number,
                    message=part,
                    heading=len(message.parts) > 1,
                    gsm7=message.gsm7,
                    receipt=self._settings.receipts,
                )
                answer = await session.ask(Command.SUBMIT_SM, body, lambda: begun.append(True))
                if answer.status != Status.OK or answer.command == Command.GENERIC_NACK:
                    return _refusal(answer.status)
                self._parts.accepted(whole, read_text(answer.body))
            return Accepted(self._parts.finish(whole))

    async def _bound(self) -> Session | Rejected:
        """The bound session; waits for a try to bind when there is none."""
        if self._closed:
            return Rejected("the transport is closed", temporary=True)
        self._keep_bound()
        if self._session is not None and not self._session.lost:
            return self._session
        self._tried.clear()
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BOUND_WITHIN_S):
                await self._tried.wait()
        if self._session is not None and not self._session.lost:
            return self._session
        return self._refusal or Rejected("not bound to the SMS centre yet", temporary=True)

    # ---- keeping the bind ------------------------------------------------------------------------------------------

    def _keep_bound(self) -> None:
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        """Bind, and bind again whenever the connection ends, until cancelled."""
        failures = 0
        while not self._closed:
            try:
                self._session = await Session.bind(self._settings, self._take)
            except (BindRefused, Lost, OSError, ValueError) as error:
                failures += 1
                self._failed(error, failures)
            else:
                failures = 0
                self._refusal = None
                self._tried.set()
                _log.info("transport %s is bound to the SMS centre", self.name)
                ended = await self._session.run()
                self._session = None
                if not self._closed:
                    _log.warning("transport %s: %s", self.name, ended)
                failures = 1
            await self._back_off(failures)

    def _failed(self, error: Exception, failures: int) -> None:
        for_good = isinstance(error, BindRefused) and error.status in _NO_ENTRY
        words = (
            str(error) if isinstance(error, BindRefused | Lost) else f"the SMS centre cannot be reached ({type(error).__name__})"
        )
        self._refusal = Rejected(words, temporary=not for_good)
        self._tried.set()
        if failures == 1 or failures % 100 == 0:
            _log.warning("transport %s: %s", self.name, words)

    async def _back_off(self, failures: int) -> None:
        """Wait before the next bind; when a message waits, only the least."""
        least_s = backoff_s(1, least_s=LEAST_BACKOFF_S, most_s=MOST_BACKOFF_S, who=self.name)
        whole_s = backoff_s(failures, least_s=LEAST_BACKOFF_S, most_s=MOST_BACKOFF_S, who=self.name)
        await asyncio.sleep(least_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, whole_s - least_s)):
                await self._hurry.wait()
        self._hurry.clear()

    # ---- what the centre delivers ----------------------------------------------------------------------------------

    async def _take(self, short: Short) -> int:
        """Receipts to the dispatcher, replies to whoever takes them; returns the status for the centre."""
        if is_receipt(short):
            told = read_receipt(short)
            if told is not None:
                self._parts.receipt(*told)
        elif is_written(short):
            if self._take_reply is None:
                return Status.TRY_LATER
            try:
                await self._take_reply(short.source, written_text(short)[:REPLY_MAX])
            except JournalFull:
                return Status.TRY_LATER  # the centre keeps it and brings it again
        return Status.OK


def _refusal(status: int) -> Rejected:
    if status in _FOR_GOOD:
        return Rejected(f"{_FOR_GOOD[status]} (SMPP 0x{status:02X})")
    return Rejected(f"{_FOR_NOW.get(status, 'the SMS centre refused for now')} (SMPP 0x{status:02X})", temporary=True)
