"""People of a story who open the private link of a page, and press a button behind it or none."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.instants import Instant
from gateway.runtime.answering import WhyNot, Wish, wanted
from gateway.runtime.links import Links
from gateway.runtime.records import command_entry
from gateway.scenario.checks import Checks
from gateway.scenario.house import House

_LINKS = "scenario"  # a secret that nobody has to keep


def follow_link(house: House, checks: Checks, keys: Mapping[str, Any], at: Instant) -> str:
    """Open the link of the page that the step means, and press the button that it names; returns why not, or nothing.

    The page is the latest one to the person (or to whom `of` names), or that sent nearest to the offset `sent`.
    """
    sent, button = checks.page_to(str(keys.get("of", keys["person"])), keys.get("sent")), str(keys["link"])
    links = Links(_LINKS)
    token = links.token(sent.key, sent.address) if sent is not None else ""
    page = links.find(token, house.fold.monitor.state, at)
    if page is None:
        return "the link was never given, or has ended"
    if button == "open":
        return ""
    command = wanted(page, Wish(button), at)
    if isinstance(command, WhyNot):
        return command.value
    house.take(command_entry(page.person, command, at, by="link"))
    result = house.results[-1]
    return "" if result.ok else result.message
