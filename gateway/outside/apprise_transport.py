"""Apprise as one transport: every service that it knows, behind our own deadline, workers and words.

Why this module is not three lines, measured on Apprise 2.2.0 (docs/adr/0005):

- Its asynchronous sends share one process-wide pool of a few threads: a dozen hung sends delayed a good page by 20 s. Here each
  transport has its own threads, and a full house says so at once.
- An instance waits `request_rate_per_sec` (5.5 *seconds*) between requests: set to 0.
- A URL with several recipients has one outcome for all: one URL for each recipient, one recipient for each URL.
- A recipient that it does not like is dropped with a log line, and some services then write to the sender: refused here.
- `smpp://` and `xmpp://` report success for what the other side refused: not offered.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator
from urllib.parse import quote

from apprise import Apprise, NotifyBase, NotifyFormat, NotifyType

from gateway.outside.apprise_evidence import collecting, verdict, watch
from gateway.outside.no_receipts import no_receipts
from gateway.runtime.ports import Accepted, Message, Receipt, Rejected, SendResult, Unknown

WORKERS = 16
DEADLINE_S = 15.0

_UNTRUSTED = {
    "smpp": "apprise reports success for messages that the SMSC refused; use kind: smpp",
    "smpps": "apprise reports success for messages that the SMSC refused; use kind: smpp",
    "xmpp": "apprise reports success before the server has let it in",
    "xmpps": "apprise reports success before the server has let it in",
}

# What Apprise would split into several recipients, or strip. An address is one recipient and nothing else.
_NOT_ONE_ADDRESS = re.compile(r"[\s,;]|^$")

_SEVERAL = "the URL reaches more than one recipient, and one outcome cannot speak for several"

# Apprise knows no "is this URL right?" without a recipient, and services differ in what they take for one.
_STAND_INS = ("85290000001", "somebody@ward.example", "somebody")


class AppriseTransport:
    """Sends to one Apprise URL; `{address}` in it stands for the recipient and is filled in percent-encoded.

    `workers` sends may be under way at once, each in a thread of its own; a further one is refused for the moment: the caller
    keeps the order of what waits. After `deadline_s` the answer is `Unknown`, while the worker stays busy until Apprise gives up
    by itself (`rto` and `cto` of the URL, 4 s each by default, 15 s for mail): a running thread cannot be stopped, and may still
    deliver. Threads are daemons, so a hung send does not keep the process from ending.
    """

    def __init__(self, name: str, url: str, *, workers: int = WORKERS, deadline_s: float = DEADLINE_S) -> None:
        self.name = name
        self._url = url
        self._workers = workers
        self._deadline_s = deadline_s
        self._busy = 0  # touched by the event loop's thread only
        watch()
        self.check()  # loads Apprise's plugins (0.3 s) now and not before the first page

    def check(self, address: str = "") -> str | None:
        """What is wrong with the URL, for `address` if one is given; in words without its secrets. None: nothing."""
        problems = [self._try_service(candidate) for candidate in ((address,) if address else _STAND_INS)]
        if _SEVERAL in problems:
            return _SEVERAL
        return None if None in problems else problems[0]

    async def send(self, message: Message) -> SendResult:
        """Hand the message to Apprise. `Accepted` means that the service took it, never that it was delivered."""
        if self._busy >= self._workers:
            return Rejected(f"all {self._workers} senders are busy", temporary=True)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[SendResult] = loop.create_future()

        def work() -> None:
            result = self._deliver(message)
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                loop.call_soon_threadsafe(self._finish, answer, result)

        try:
            threading.Thread(target=work, name=f"apprise {self.name}", daemon=True).start()
        except RuntimeError:
            return Rejected("no thread is left to send with", temporary=True)
        self._busy += 1
        await asyncio.wait([answer], timeout=self._deadline_s)
        return answer.result() if answer.done() else Unknown(f"no answer within {self._deadline_s:g} s")

    def receipts(self) -> AsyncIterator[Receipt]:
        """None: Apprise knows no delivery reports."""
        return no_receipts()

    async def close(self) -> None:
        """Nothing to release: each send has its own connection, and its thread ends with it."""

    def _finish(self, answer: asyncio.Future[SendResult], result: SendResult) -> None:
        self._busy -= 1
        if not answer.done():
            answer.set_result(result)

    def _deliver(self, message: Message) -> SendResult:
        """Send in this thread, and judge what came of it."""
        with collecting() as evidence:
            try:
                service = self._service(message.address)
                if isinstance(service, str):
                    return Rejected(service)
                accepted = _notify(service, message)
            except Exception as error:  # noqa: BLE001 - plugins are foreign code; whatever they raise is a send that failed
                evidence.errors.append(error)
                accepted = False
            return Accepted() if accepted else verdict(evidence)

    def _try_service(self, address: str) -> str | None:
        """The problem of sending to `address`, or None."""
        try:
            service = self._service(address)
        except Exception as error:  # noqa: BLE001 - as above
            return f"apprise does not understand the URL ({type(error).__name__})"
        return service if isinstance(service, str) else None

    def _service(self, address: str) -> NotifyBase | str:
        """An Apprise service for one recipient, or the problem in words."""
        scheme = self._url.partition(":")[0].strip().lower()
        if scheme in _UNTRUSTED:
            return f"{scheme}: {_UNTRUSTED[scheme]}"
        if _NOT_ONE_ADDRESS.search(address):
            return "the address does not name exactly one recipient"
        with collecting() as evidence:
            service = Apprise.instantiate(self._url.replace("{address}", quote(address, safe="")))
        if service is None:
            return "apprise does not understand the URL"
        if any(line.startswith(("Dropped invalid", "Dropping invalid")) for line in evidence.lines):
            return "apprise does not take the address for a recipient of this service"
        if len(service) > 1 or getattr(service, "cc", None) or getattr(service, "bcc", None):
            return _SEVERAL
        return service


def _notify(service: NotifyBase, message: Message) -> bool:
    """One blocking send, as plain text.

    A title goes only to services that have a place for it: the others would put it into the text. Services that page by
    themselves make an incident of WARNING and FAILURE, but a mere remark of INFO.
    """
    service.request_rate_per_sec = 0
    return service.notify(
        body=message.text,
        title=message.subject if service.title_maxlen > 0 else "",
        notify_type=NotifyType.FAILURE if message.urgent else NotifyType.WARNING,
        body_format=NotifyFormat.TEXT,
    )
