"""Twilio, as far as the gateway sees it: signed forms."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlencode

AUTH_TOKEN = "twilio-auth-token-of-tests"


def signed(url: str, fields: Mapping[str, str], auth_token: str = AUTH_TOKEN) -> dict[str, str]:
    """The headers of a form that Twilio sends to `url`."""
    words = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = b64encode(hmac.digest(auth_token.encode(), words.encode(), "sha1")).decode()
    return {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}


def form(fields: Mapping[str, str]) -> str:
    """The body of it."""
    return urlencode(fields)
