"""What a transport's name, kind and address say about it."""

from urllib.parse import parse_qs

_SMS_KINDS = ("kannel", "smpp")


def is_two_way(name: str, kind: str, *, twilio: bool = False) -> bool:
    """Replies can come back: every kind that speaks SMS, whatever the ward calls `sms`, and texts by a Twilio that may answer."""
    return kind in _SMS_KINDS or name == "sms" or twilio


def is_voice(name: str, url: str, *, said: bool | None) -> bool:
    """A call rather than a text: what the file says; else by the name `voice`, or an Apprise URL with `method=call`."""
    if said is not None:
        return said
    return name == "voice" or "call" in parse_qs(url.partition("?")[2]).get("method", ())
