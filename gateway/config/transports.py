"""What a transport's name, kind and address say about it."""

import re
from urllib.parse import parse_qs, unquote

_SMS_KINDS = ("kannel", "smpp")
_BY_WHATSAPP = re.compile(r"(?:^|/|[?&](?:from|source|to)=)\s*w[a-z]*\s*:", re.IGNORECASE)


def is_two_way(name: str, kind: str, *, twilio: bool = False) -> bool:
    """Replies can come back: every kind that speaks SMS, whatever the ward calls `sms`, and texts by a Twilio that may answer."""
    return kind in _SMS_KINDS or name == "sms" or twilio


def is_voice(name: str, url: str, *, said: bool | None) -> bool:
    """A call rather than a text: what the file says; else by the name `voice`, or an Apprise URL with `method=call`."""
    if said is not None:
        return said
    return name == "voice" or "call" in parse_qs(url.partition("?")[2]).get("method", ())


def is_whatsapp(url: str) -> bool:
    """A Twilio URL of Apprise that writes by WhatsApp: `w:` or `whatsapp:` stands before the number it sends from, or to."""
    return _BY_WHATSAPP.search(unquote(url.partition("://")[2].rpartition("@")[2])) is not None
