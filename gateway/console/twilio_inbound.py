"""Where Twilio brings text messages that people wrote, and keys that they pressed during a call. Its signature guards it.

    POST /inbound/twilio               From, Body: a person's message, journalled as any reply
    POST /inbound/twilio?page={token}  Digits: the key that was pressed during the call of that page

The signature is over the address that Twilio called. That is the ward file's `console.base_url`, never what a Host header says.
Without a right one nothing is read, and the gateway's findings say so.
"""

import hashlib
import hmac
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.console.access import Running
from gateway.console.answering import act
from gateway.console.problems import INVALID, NO_TOKEN, Trouble, documented
from gateway.console.terms import alert_words
from gateway.console.times import clock, rfc3339
from gateway.console.words import words_in
from gateway.domain.locale import Locale
from gateway.runtime.answering import Wish
from gateway.runtime.links import LinkedPage
from gateway.runtime.ports import JournalFull
from gateway.runtime.service import Service
from gateway.runtime.twiml import PASS_ON, TAKE, ask, nothing, say
from gateway.runtime.wording import CALL_PATH

TEXT_MAX = 1_000  # characters; the rest of a longer message says nothing more
FIELDS_MAX = 100
HEARD_MAX = 1_000  # messages and keys whose answer is remembered, so that one that comes twice acts once; more: the oldest goes

_KEYS = {TAKE: Wish.TAKE, PASS_ON: Wish.CANNOT}
_NO_PERSON = ("machine", "fax")  # how `AnsweredBy` begins when a voice box or a fax took the call
_UNSIGNED = "twilio-signature"
_NO_WAY_IN = "twilio-message"
_WHATSAPP = "whatsapp:"  # how `From` begins when a message came by it


@dataclass(frozen=True, slots=True)
class TwilioDoor:
    """One of the ward's transports through Twilio: what Twilio signs with, whether it calls or writes, and by WhatsApp or not."""

    auth_token: str = field(repr=False)
    voice: bool
    whatsapp: bool = False


def signature(auth_token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """What `X-Twilio-Signature` must say: base64 of HMAC-SHA1 over the URL and all fields.

    Fields stand in the order of their names, each name before its value; one that comes twice with the same value counts once.
    Source: Twilio, "Validating requests are coming from Twilio".
    """
    words = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.digest(auth_token.encode(), words.encode(), hashlib.sha1)).decode()


def twilio_inbound(doors: Mapping[str, TwilioDoor], base_url: str) -> APIRouter:
    """The route for these transports, by name. `base_url` is where Twilio reaches us, without a slash at its end."""
    router = APIRouter(tags=["replies"])
    desk = _Desk(doors, base_url)
    router.add_api_route(
        CALL_PATH, desk.take, methods=["POST"], response_class=Response, responses=documented(403, 422, 503), name="twilio"
    )
    return router


class _Desk:
    """What Twilio may bring."""

    def __init__(self, doors: Mapping[str, TwilioDoor], base_url: str) -> None:
        self._doors, self._base_url = doors, base_url
        self._answered: OrderedDict[str, str] = OrderedDict()
        self._unsigned = 0

    async def take(self, request: Request, service: Running) -> Response:
        """A message that a person wrote, or a key that a person pressed; answered in TwiML."""
        fields, signers = await self._signed(request, service)
        told = dict(fields)
        token = request.query_params.get("page", "")
        calls, id_ = "CallSid" in told, told.get("CallSid") or told.get("MessageSid")
        if not id_:
            raise Trouble(422, "neither CallSid nor MessageSid: not what Twilio sends", kind=INVALID)
        heard = "/".join((id_, told.get("Digits", ""), token))
        answer = self._answered.get(heard)
        if answer is None:
            try:
                answer = await (self._key(service, token, told) if calls else self._message(service, told, signers))
            except JournalFull:
                if not calls:
                    raise
                return _xml(say("Nothing was changed: it cannot be stored now. Call the ward."))
            self._answered[heard] = answer
            if len(self._answered) > HEARD_MAX:
                self._answered.popitem(last=False)
        return _xml(answer)

    async def _signed(self, request: Request, service: Service) -> tuple[list[tuple[str, str]], frozenset[str]]:
        """The fields of the body, once the signature over them has proved right, and the transports whose token signed it."""
        body = (await request.body()).decode("utf-8", "replace")
        if body.count("&") >= FIELDS_MAX:
            raise Trouble(422, f"a form has at most {FIELDS_MAX} fields", kind=INVALID)
        fields = parse_qsl(body, keep_blank_values=True)
        url = f"{self._base_url}{CALL_PATH}" + (f"?{request.url.query}" if request.url.query else "")
        given = request.headers.get("x-twilio-signature", "").encode("latin-1")
        proofs = [(name, signature(door.auth_token, url, fields).encode()) for name, door in self._doors.items()]
        signers = frozenset([name for name, proof in proofs if hmac.compare_digest(proof, given)])
        if signers:
            return fields, signers
        self._unsigned += 1
        words = (
            f"{self._unsigned} requests to {CALL_PATH} without Twilio's right signature, the last at {rfc3339(service.now())}: "
            f"check that Twilio calls {self._base_url}{CALL_PATH} (console.base_url), and that twilio.auth_token_file holds the "
            "account's auth token"
        )
        service.note_finding(_UNSIGNED, words)
        raise Trouble(403, "not signed by Twilio with this ward's token for this address", kind=NO_TOKEN)

    async def _message(self, service: Service, told: Mapping[str, str], signers: Collection[str]) -> str:
        """Journal it; the answer comes as a message of its own, by the ward's transport."""
        sender = told.get("From", "")
        way = self._way(signers, whatsapp=sender.startswith(_WHATSAPP))
        if way is None:
            words = "a text message came by Twilio, and no transport of the ward writes by Twilio: nobody read it"
            service.note_finding(_NO_WAY_IN, words)
        elif sender:
            await service.reply(way, sender.removeprefix(_WHATSAPP), told.get("Body", "")[:TEXT_MAX])
        return nothing()

    def _way(self, signers: Collection[str], *, whatsapp: bool) -> str | None:
        """The writing transport that a message came by: one whose token signed it, and of those one that writes the same way.

        Where none fits so well, the nearest: a person's words are not lost because the ward file names the way differently.
        """
        writing = [name for name, door in self._doors.items() if not door.voice]
        return max(writing, key=lambda name: (name in signers, self._doors[name].whatsapp is whatsapp), default=None)

    async def _key(self, service: Service, token: str, told: Mapping[str, str]) -> str:
        """Do what the key says. No key, a key that means nothing, a machine that listens: nothing is done."""
        page = service.linked(token)
        if page is None:
            return say("This page has ended. Nothing was changed.")
        if told.get("AnsweredBy", "").startswith(_NO_PERSON):
            return say("Nothing was changed.")
        wish = _KEYS.get(told.get("Digits", ""))
        if wish is None:
            return ask(_read_out(page, service), f"{self._base_url}{CALL_PATH}?page={token}")
        return say(str((await act(service, page, wish, by="call")).said))


def _xml(answer: str) -> Response:
    return Response(answer, media_type="text/xml")


def _read_out(page: LinkedPage, service: Service) -> str:
    """The incident as it stands now, for a call: who and how urgent, what and since when."""
    line, now = page.incident, service.now()
    zone = ZoneInfo(page.timezone)
    said = "; ".join(f"{alert_words(alert, words_in(Locale.EN))} since {clock(alert.since, now, zone)}" for alert in line.alerts)
    return f"{line.subject} {line.priority.value}: {said or 'nothing is wrong any more'}."
