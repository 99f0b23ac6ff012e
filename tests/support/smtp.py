"""A real SMTP server on loopback that behaves as the recipient's name asks."""

import asyncio
import contextlib
import email
import email.policy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.process import free_port


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it arrived."""

    recipient: str
    subject: str
    text: str
    content_type: str


@dataclass(slots=True)
class MailServer:
    """Records what arrives at anybody; `nobody` gets 550, `later` 451, `hang` no answer until `release`, `drop` a dead line."""

    port: int
    mails: list[Mail] = field(default_factory=list)
    _released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let hanging recipients go on, those that are still to come too."""
        self._released.set()

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        """Answer RCPT TO by the local part of the address."""
        who = address.partition("@")[0]
        if who == "nobody":
            return "550 5.1.1 no such user"
        if who == "later":
            return "451 4.3.0 try again later"
        if who == "hang":
            await asyncio.to_thread(self._released.wait)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message; `drop` loses the connection after the message was read and before it is answered."""
        parsed = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        if envelope.rcpt_tos[0].startswith("drop@"):
            assert server.transport is not None
            server.transport.abort()
            return "421 gone"
        text = parsed.get_content().replace("\r\n", "\n").removesuffix("\n")
        self.mails += [Mail(to, str(parsed["Subject"]), text, parsed.get_content_type()) for to in envelope.rcpt_tos]
        return "250 OK"


@contextlib.contextmanager
def mail_server(port: int | None = None) -> Iterator[MailServer]:
    """Run it for the length of a with-block, on a free port unless told otherwise."""
    server = MailServer(port or free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port, ready_timeout=20)
    controller.start()
    try:
        yield server
    finally:
        server.release()
        controller.stop()
