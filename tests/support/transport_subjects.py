"""Each kind of transport with its other side, for the conformance suite: the scripted fake, and real servers."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config.settings import KannelSettings, SmppSettings, SnppSettings
from gateway.outside.apprise_transport import AppriseTransport
from gateway.outside.kannel_transport import KannelTransport
from gateway.outside.smpp_transport import SmppTransport
from gateway.outside.snpp_transport import SnppTransport, shown
from gateway.runtime.ports import Rejected, SendResult, Transport, Unknown
from tests.support import kannel as real_kannel
from tests.support import smsc as real_smsc
from tests.support import snpp as real_snpp
from tests.support.fake_transport import FakeTransport
from tests.support.line import line
from tests.support.process import free_port
from tests.support.smtp import mail_server
from tests.support.web_hook import web_hook

LONG_S = 60.0  # a deadline that no good recipient misses

_NUMBERS = {"nurse": "85290000001", "hang": "85290000999", "drop": "85290000888"}
_KANNEL_NUMBERS = _NUMBERS | {"nobody": real_kannel.NOT_ROUTED, "later": real_kannel.UNCONNECTED}
_SMSC_NUMBERS = _NUMBERS | {"nobody": real_smsc.NOBODY, "later": real_smsc.LATER}
_PAGERS = {
    "nurse": "7001",
    "nobody": real_snpp.NOBODY,
    "later": real_snpp.LATER,
    "hang": real_snpp.HANG,
    "drop": real_snpp.DROP,
}


def _nothing() -> None:
    """Nothing needs to be done."""


@dataclass
class Subject:
    """One kind of transport with its other side. `arrived` tells (address, text) of all that got through.

    `shown` is what a recipient sees of a text; `make_busy` brings the other side into the state in which `later` is refused.
    """

    make: Callable[[float], Transport]
    arrived: Callable[[], list[tuple[str, str]]]
    address_of: Callable[[str], str]
    nowhere: Callable[[], Transport]
    release: Callable[[], None]
    shown: Callable[[str], str] = str
    make_busy: Callable[[], None] = _nothing


@contextlib.contextmanager
def fake_subject(_: Path) -> Iterator[Subject]:
    """The scripted fake, so that tests that use it may trust it."""
    script: dict[str, SendResult | None] = {
        "nobody": Rejected("no such user"),
        "later": Rejected("try again later", temporary=True),
        "drop": Unknown("the connection failed while sending"),
        "hang": None,
    }
    made: list[FakeTransport] = []

    def make(deadline_s: float) -> Transport:
        made.append(FakeTransport("fake", script, deadline_s=deadline_s))
        return made[-1]

    def nowhere() -> Transport:
        return FakeTransport("fake", {"nurse": Rejected("cannot connect", temporary=True)})

    yield Subject(
        make=make,
        arrived=lambda: [(message.address, message.text) for fake in made for message in fake.sent],
        address_of=str,
        nowhere=nowhere,
        release=lambda: [fake.release() for fake in made] and None,
    )


@contextlib.contextmanager
def mail_subject(_: Path) -> Iterator[Subject]:
    """Apprise's mail on a real SMTP server."""

    def url(port: int) -> str:
        return f"mailto://127.0.0.1:{port}/?mode=insecure&from=dripwatch@ward.example&to={{address}}"

    with mail_server() as server:
        yield Subject(
            make=lambda deadline_s: AppriseTransport("email", url(server.port), deadline_s=deadline_s),
            arrived=lambda: [(mail.recipient, mail.text) for mail in server.mails],
            address_of=lambda who: f"{who}@ward.example",
            nowhere=lambda: AppriseTransport("email", url(free_port()), deadline_s=LONG_S),
            release=server.release,
        )


@contextlib.contextmanager
def hook_subject(_: Path) -> Iterator[Subject]:
    """Apprise's JSON on a real HTTP server."""

    def url(port: int) -> str:
        return f"json://127.0.0.1:{port}/voice/{{address}}?rto=60"

    with web_hook() as hook:
        yield Subject(
            make=lambda deadline_s: AppriseTransport("voice", url(hook.port), deadline_s=deadline_s),
            arrived=lambda: [(who, body["message"]) for who, body in hook.calls],
            address_of=str,
            nowhere=lambda: AppriseTransport("voice", url(free_port()), deadline_s=LONG_S),
            release=hook.release,
        )


@contextlib.contextmanager
def kannel_subject(folder: Path) -> Iterator[Subject]:
    """A real Kannel with fakesmsc, behind a line in which requests for two numbers hang or lose their answer."""
    with (
        real_kannel.kannel(folder) as server,
        line(server.port, hang=_NUMBERS["hang"], drop=_NUMBERS["drop"]) as between,
    ):
        yield Subject(
            make=lambda deadline_s: KannelTransport(kannel_settings(between.port), deadline_s=deadline_s),
            arrived=lambda: server.arrived,
            address_of=_KANNEL_NUMBERS.__getitem__,
            nowhere=lambda: KannelTransport(kannel_settings(free_port()), deadline_s=LONG_S),
            release=between.release,
            make_busy=server.fill_queue,
        )


@contextlib.contextmanager
def smpp_subject(folder: Path) -> Iterator[Subject]:
    """SMPP to another implementation's SMS centre."""
    with real_smsc.smsc(folder) as centre:
        yield Subject(
            make=lambda deadline_s: SmppTransport(smpp_settings(centre.port), deadline_s=deadline_s),
            arrived=lambda: centre.arrived,
            address_of=_SMSC_NUMBERS.__getitem__,
            nowhere=lambda: SmppTransport(smpp_settings(free_port()), deadline_s=LONG_S),
            release=lambda: centre.tell("release"),
        )


@contextlib.contextmanager
def snpp_subject(folder: Path) -> Iterator[Subject]:
    """SNPP to Debian's Net::SNPP::Server."""
    with real_snpp.snpp_terminal(folder) as terminal:
        yield Subject(
            make=lambda deadline_s: SnppTransport(snpp_settings(terminal.port), deadline_s=deadline_s),
            arrived=lambda: terminal.pages,
            address_of=_PAGERS.__getitem__,
            nowhere=lambda: SnppTransport(snpp_settings(free_port()), deadline_s=LONG_S),
            release=terminal.release,
            shown=shown,
        )


def kannel_settings(port: int, **changed: Any) -> KannelSettings:
    """The account of `tests.support.kannel`."""
    return KannelSettings(
        name="sms",
        url=f"http://127.0.0.1:{port}/cgi-bin/sendsms",
        username="gw",
        sender=real_kannel.SENDER,
        **{"password": "secret", "receipts": False, "receipt_deadline_ms": 60_000, **changed},
    )


def smpp_settings(port: int, **changed: Any) -> SmppSettings:
    """An account of the SMS centre on this port."""
    return SmppSettings(
        name="sms",
        host="127.0.0.1",
        port=port,
        system_id="gw",
        system_type="",
        sender=real_smsc.SENDER,
        **{"password": "secret", "receipts": False, "receipt_deadline_ms": 60_000, **changed},
    )


def snpp_settings(port: int) -> SnppSettings:
    """The paging terminal on this port."""
    return SnppSettings(name="pager", host="127.0.0.1", port=port)
