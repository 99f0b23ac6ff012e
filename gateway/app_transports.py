"""The composition root's part for transports: which concrete class speaks for which settings, and how the world answers them."""

import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlencode

from gateway.config.settings import AppriseSettings, KannelSettings, LoadedWard, SmppSettings, SnppSettings, TransportSettings
from gateway.config.transports import is_whatsapp
from gateway.runtime.links import Links
from gateway.runtime.ports import Transport
from gateway.runtime.service import Service
from gateway.runtime.two_way import TwoWay
from gateway.runtime.wording import Wording

if TYPE_CHECKING:
    from fastapi import APIRouter


def make_transports(loaded: LoadedWard, api_token: str) -> dict[str, Transport]:
    """All transports of the ward, by name. `api_token`: what the token of a Kannel without one of its own is made of."""
    return {name: make_transport(name, loaded, api_token) for name in loaded.transports}


def make_transport(name: str, loaded: LoadedWard, api_token: str = "") -> Transport:
    """The transport of that name."""
    return transport_of(name, loaded.transports[name], loaded.console.base_url, api_token)


def transport_of(name: str, settings: TransportSettings, base_url: str = "", api_token: str = "") -> Transport:
    """The transport with these settings. `base_url`: where a Kannel reaches us with its reports."""
    from gateway.outside.apprise_transport import AppriseTransport  # noqa: PLC0415
    from gateway.outside.kannel_transport import KannelTransport  # noqa: PLC0415
    from gateway.outside.smpp_transport import SmppTransport  # noqa: PLC0415
    from gateway.outside.snpp_transport import SnppTransport  # noqa: PLC0415

    match settings:
        case AppriseSettings():
            return AppriseTransport(name, settings.url)
        case KannelSettings():
            base = settings.callback_url or base_url
            query = urlencode({"token": kannel_token(settings, api_token)})
            return KannelTransport(settings, report_url=f"{base}/inbound/kannel/{name}/receipt?{query}")
        case SmppSettings():
            return SmppTransport(settings)
        case SnppSettings():
            return SnppTransport(settings)
    assert_never(settings)


def kannel_token(settings: KannelSettings, api_token: str) -> str:
    """What opens the door for this Kannel: the ward file's own, or one that only this gateway can know."""
    return settings.token or hmac.digest(api_token.encode(), f"kannel/{settings.name}".encode(), hashlib.sha256).hex()[:32]


def receipt_deadlines(loaded: LoadedWard) -> dict[str, int]:
    """Transports that promise a receipt, and within what time in ms."""
    return {fact.name: fact.receipt_deadline_ms for fact in loaded.ward.transports.values() if fact.receipts}


def make_wording(loaded: LoadedWard, secret: str) -> Wording:
    """What is added to pages when they are handed over. A pager opens no links; a call by Twilio listens to keys."""
    console, facts = loaded.console, loaded.ward.transports
    return Wording(
        links=Links(secret),
        base_url=console.base_url if console.links else "",
        linked={name for name, fact in facts.items() if fact.kind != "snpp" and not fact.voice},
        calls={
            name
            for name, settings in loaded.transports.items()
            if isinstance(settings, AppriseSettings) and settings.auth_token and facts[name].voice
        },
    )


def inbound_routes(loaded: LoadedWard, transports: Mapping[str, Transport], api_token: str) -> "list[APIRouter]":
    """The addresses under which providers report and bring replies, and the page behind a page's link."""
    from gateway.console.answer_page import answer_page  # noqa: PLC0415
    from gateway.console.kannel_inbound import KannelDoor, kannel_inbound  # noqa: PLC0415
    from gateway.console.twilio_inbound import TwilioDoor, twilio_inbound  # noqa: PLC0415
    from gateway.outside.kannel_transport import KannelTransport  # noqa: PLC0415

    doors = {}
    for name, settings in loaded.transports.items():
        transport = transports.get(name)
        if isinstance(settings, KannelSettings) and isinstance(transport, KannelTransport):
            doors[name] = KannelDoor(kannel_token(settings, api_token), transport.report)
    calling = {
        name: TwilioDoor(settings.auth_token, loaded.ward.transports[name].voice, is_whatsapp(settings.url))
        for name, settings in loaded.transports.items()
        if isinstance(settings, AppriseSettings) and settings.auth_token
    }
    routers = [answer_page()]
    if doors:
        routers.append(kannel_inbound(doors))
    if calling:
        routers.append(twilio_inbound(calling, loaded.console.base_url))
    return routers


def bring_replies(transports: Mapping[str, Transport], service: Service) -> None:
    """Let every transport that hears people hand on what they write."""
    for name, transport in transports.items():
        if isinstance(transport, TwoWay):
            transport.take_replies(partial(service.reply, name))
