"""The last words of a page, put in when it is handed over: its private link, or the keys of a call. The core knows no secret."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gateway.core.turns import Item
from gateway.domain.effects import Page
from gateway.domain.words import OF_NO_INCIDENT, WhyPaged
from gateway.runtime.links import Links
from gateway.runtime.twiml import ask

LINK_PATH = "/a/"
CALL_PATH = "/inbound/twilio"
LINK_SECRET = "link-secret"  # noqa: S105 - a file's name; it stands beside the journal

_ASKS_NOTHING = OF_NO_INCIDENT | {WhyPaged.RESOLVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """`base_url` is where people reach the console, without a slash at its end; empty: nothing is added to any page.

    `linked` are the transports whose pages carry a link, `calls` those that ring and listen to a key.
    """

    links: Links
    base_url: str
    linked: Collection[str]
    calls: Collection[str]

    def text(self, item: Item) -> str:
        """The whole text of a page or an answer, as its transport is given it.

        The link stands on a line of its own behind everything else, so that the essential stays within the first 160 characters.
        """
        if not isinstance(item, Page) or item.why in _ASKS_NOTHING or not self.base_url:
            return item.text
        if item.transport in self.calls:
            return ask(spoken(item), f"{self.base_url}{CALL_PATH}?page={self.links.token(item.key, item.address)}")
        if item.transport in self.linked:
            return f"{item.text}\n{self.base_url}{LINK_PATH}{self.links.token(item.key, item.address)}"
        return item.text


def spoken(page: Page) -> str:
    """What a call reads: the essential of a page, without the sentence about the reply code, for a call takes one key."""
    essential = page.text.split("\n", 1)[0]
    if not page.code:
        return essential
    return re.sub(rf"\s*[^.。]*\b{re.escape(page.code)}\b[^.。]*[.。]?\s*$", "", essential, flags=re.ASCII) or essential
