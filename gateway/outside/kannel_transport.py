"""Text messages by a Kannel gateway's sendsms interface; its delivery reports come back by our own HTTP server.

What its answers mean to us, and why, is in docs/adr/0013. Everything secret goes in headers of a POST, because addresses are
written into logs, Kannel's own among them.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx

from gateway.config.settings import KannelSettings
from gateway.domain.words import Outcome
from gateway.outside.receipt_box import ReceiptBox
from gateway.outside.sms_text import is_gsm7, phone_number
from gateway.runtime.ports import Accepted, Message, Receipt, Rejected, SendResult, Unknown

DEADLINE_S = 15.0
CONNECT_S = 4.0
SENDS_AT_ONCE = 16

_DELIVERED, _FAILED, _REFUSED_BY_CENTRE = 1, 2, 16
_REPORTS = {_DELIVERED: Outcome.DELIVERED, _FAILED: Outcome.REJECTED, _REFUSED_BY_CENTRE: Outcome.REJECTED}
_WANTED_REPORTS = sum(_REPORTS)  # the other kinds ("buffered", "handed to the centre") decide nothing

_LATER = frozenset({408, 425, 429})
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError)

_NOT_A_NUMBER = "the address is not one telephone number"


class KannelTransport:
    """One sendsms account. `report_url`, where reports are wanted, takes them: `?…&id=ID&status=STATUS` is appended to it."""

    def __init__(self, settings: KannelSettings, *, report_url: str | None = None, deadline_s: float = DEADLINE_S) -> None:
        self.name = settings.name
        self._settings = settings
        self._report_url = report_url if settings.receipts else None
        self._deadline_s = deadline_s
        self._box = ReceiptBox()
        self._client = httpx.AsyncClient(
            trust_env=False,  # a proxy of the environment is for people who browse
            timeout=httpx.Timeout(deadline_s, connect=CONNECT_S),
            # A kept connection that Kannel closes just then would leave us not knowing; a new one costs a millisecond.
            limits=httpx.Limits(max_connections=SENDS_AT_ONCE, max_keepalive_connections=0),
        )

    async def send(self, message: Message) -> SendResult:
        """Hand the message to Kannel. `Accepted` means that a report is promised, or that a centre was connected."""
        number = phone_number(message.address)
        if number is None:
            return Rejected(_NOT_A_NUMBER)
        provider_id = self._id_of(message.key)
        headers = httpx.Headers(self._headers(number, message.text, provider_id), encoding="utf-8")
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._client.post(self._settings.url, headers=headers, content=message.text.encode())
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            return Unknown(f"no answer within {self._deadline_s:g} s")
        except (*_NOTHING_SENT, httpx.InvalidURL) as error:
            return Rejected(f"Kannel cannot be reached ({type(error).__name__})", temporary=True)
        except httpx.HTTPError as error:
            return Unknown(f"the connection to Kannel failed while sending ({type(error).__name__})")
        return self._judge(answer, provider_id)

    def report(self, provider_id: str, status: int) -> None:
        """Kannel says what became of a message; what decides nothing is dropped."""
        outcome = _REPORTS.get(status)
        if outcome is not None:
            self._box.put(Receipt(provider_id, outcome))

    async def probe(self) -> str | None:
        """What is wrong, found out without sending: a message without a recipient is refused, but the account is looked at."""
        headers = httpx.Headers(self._account() | {"Content-Type": "text/plain"}, encoding="utf-8")
        try:
            async with asyncio.timeout(CONNECT_S):
                answer = await self._client.post(self._settings.url, headers=headers, content=b"probe")
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            return f"Kannel's smsbox does not answer ({type(error).__name__}); is it running, and is the url right?"
        if answer.status_code == httpx.codes.FORBIDDEN:
            return "Kannel refuses the account (HTTP 403); check username and password against its sendsms-user"
        if answer.status_code != httpx.codes.BAD_REQUEST:
            return f"what answers at the url says {answer.status_code} and is not Kannel's sendsms; check the url"
        return None

    def receipts(self) -> AsyncIterator[Receipt]:
        """Reports as they come, until closed."""
        return self._box.receipts()

    async def close(self) -> None:
        """End the receipts and release connections."""
        self._box.close()
        await self._client.aclose()

    def _account(self) -> dict[str, str]:
        password = self._settings.password or ""
        return {"X-Kannel-Username": self._settings.username, "X-Kannel-Password": password}

    def _headers(self, number: str, text: str, provider_id: str) -> dict[str, str]:
        headers = self._account() | {
            "Content-Type": 'text/plain; charset="UTF-8"',
            "X-Kannel-From": self._settings.sender,
            "X-Kannel-To": number,
            "X-Kannel-Coding": "0" if is_gsm7(text) else "2",
        }
        if self._report_url is not None:
            report_to = f"{self._report_url}&{urlencode({'id': provider_id})}&status=%d"  # Kannel fills in %d
            headers |= {"X-Kannel-DLR-Mask": str(_WANTED_REPORTS), "X-Kannel-DLR-Url": report_to}
        return headers

    def _id_of(self, key: str) -> str:
        """A page has one id however often it is tried: a report of any try speaks for the page."""
        digest = hashlib.sha256(f"{self.name}/{key}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")

    def _judge(self, answer: httpx.Response, provider_id: str) -> SendResult:
        status, said = answer.status_code, answer.text.lstrip()[:2]
        if answer.is_success and said == "0:":
            return Accepted(provider_id)
        if answer.is_success and said == "3:":
            # It lies in Kannel's queue until a centre is connected. A further try would only add a copy to the queue.
            if self._report_url is not None:
                return Accepted(provider_id)
            return Rejected("Kannel has no SMS centre connected; the message waits there and may come late")
        if answer.is_success:
            return Unknown("the answer is not Kannel's")
        if answer.is_server_error or status in _LATER:
            return Rejected(f"Kannel takes nothing at the moment (HTTP {status})", temporary=True)
        return Rejected(f"Kannel refused the message (HTTP {status})")
