"""Where a Kannel gateway reports deliveries and hands on what people write. A token guards it: Kannel signs nothing.

    GET  /inbound/kannel/{transport}/receipt?token=…&id=…&status=1    a delivery report; changes what is known of a page, no more
    POST /inbound/kannel/{transport}?token=…                          a person's message, as Kannel's `post-url` sends it

A query is kept out of our own log. Only the POST may take an incident: programs that follow links send GET.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from gateway.console.access import Running
from gateway.console.problems import INVALID, NO_TOKEN, Trouble, documented

TEXT_MAX = 1_000  # characters; the rest of a longer message says nothing more

_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "utf-16be": "utf-16-be", "ucs-2be": "utf-16-be", "iso-8859-1": "latin-1"}

Token = Annotated[str, Query(max_length=512)]
Sender = Annotated[str, Header(alias="X-Kannel-From", min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True)
class KannelDoor:
    """What one of the ward's Kannel transports lets in: by this token, reports to `report` (provider's id, Kannel's status)."""

    token: str = field(repr=False)
    report: Callable[[str, int], None]


def kannel_inbound(doors: Mapping[str, KannelDoor]) -> APIRouter:
    """The routes for these transports, by name."""
    router = APIRouter(prefix="/inbound/kannel", tags=["replies"], responses=documented(403, 422))

    @router.get("/{transport}/receipt", status_code=202)
    async def receipt(
        transport: str,
        token: Token,
        id: Annotated[str, Query(min_length=1, max_length=64)],  # noqa: A002 - the address's own word
        status: Annotated[int, Query(ge=0, le=255)],
    ) -> None:
        """Kannel's delivery report. Late, repeated and unknown ones change nothing."""
        _opened(doors, transport, token).report(id, status)

    @router.post("/{transport}", status_code=202, responses=documented(503))
    async def message(transport: str, token: Token, sender: Sender, request: Request, service: Running) -> None:
        """Journal a message that a person sent; an unknown number gets no answer."""
        _opened(doors, transport, token)
        text = _text_of(await request.body(), request.headers.get("content-type", ""))
        await service.reply(transport, sender, text[:TEXT_MAX])

    return router


def _opened(doors: Mapping[str, KannelDoor], transport: str, token: str) -> KannelDoor:
    """The door, for whoever has its token; an unknown transport and a wrong token are told apart by nobody."""
    door = doors.get(transport)
    if door is None or not secrets.compare_digest(door.token.encode(), token.encode()):
        raise Trouble(403, "no such transport, or not its token; see transports.NAME.token in the ward file", kind=NO_TOKEN)
    return door


def _text_of(body: bytes, content_type: str) -> str:
    """The body in the charset that the header names; raises `Trouble` when it names none that is known, or makes no sense."""
    said = Message()
    said["Content-Type"] = content_type
    try:
        named = said.get_content_charset("utf-8")
    except (TypeError, ValueError, LookupError, AttributeError):  # Python's parser gives up so on odd parameters
        raise Trouble(422, "a Content-Type that cannot be read", kind=INVALID) from None
    charset = _CHARSETS.get(str(named))
    if charset is None:
        raise Trouble(422, "a charset that is not known here", kind=INVALID)
    return body.decode(charset, "replace")
