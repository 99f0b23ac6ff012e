"""Forms that people send with their browser: only from our own pages, and only with the mark that our page put into them.

A refusal is a page in words, never JSON. Two checks, each enough against most: where the browser says that the form stood
(`Sec-Fetch-Site`, else `Origin`), and the hidden field `csrf`, which a foreign page cannot read.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from gateway.console.origin import comes_from_elsewhere
from gateway.console.words import message

FIELDS_MAX = 100

FOREIGN = message("This form came from another site, so nothing was changed. Go back to the page and press the button there.")
NO_FORM = message("This is not a form of ours, so nothing was changed.")
TOO_MANY = message("This form has more fields than any of ours, so nothing was changed.")
STALE = message(
    "You signed in or out after this page was opened, so nothing was changed. Load the page again, and press the button."
)

_FORM = "application/x-www-form-urlencoded"


class FormRefused(Exception):
    """Nothing was done. The text says why and the mend; the console shows it as a page of this status."""

    def __init__(self, words: str, status: int = 403) -> None:
        super().__init__(words)
        self.words, self.status = words, status


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form of ours, each once, without the spaces around. Raises `FormRefused`, which becomes a page."""
    if comes_from_elsewhere(request):
        raise FormRefused(FOREIGN)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise FormRefused(NO_FORM, 415)
    text = (await request.body()).decode("utf-8", "replace")
    try:
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise FormRefused(TOO_MANY, 413) from None
    if not hmac.compare_digest(fields.pop("csrf", "").encode(), request.state.csrf.encode()):
        raise FormRefused(STALE)
    return {name: value.strip() for name, value in fields.items()}
