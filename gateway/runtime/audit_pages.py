"""Pages and what became of them, as words."""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.core.events import Sent
from gateway.domain.effects import Page
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.words import Outcome, WhyPaged
from rules.durations import say_ms

PAGES_MAX = 20_000  # whose outcomes may still come. Full: of the oldest only what its key says is told
LATE_MS = MINUTE_MS

WHY = {
    "opened": "the incident opened",
    "raised": "its priority rose",
    "unacknowledged": "nobody had acknowledged it",
    "milestone": "a milestone was reached",
    "new-alert": "another kind of trouble joined it",
    "lease-ended": "the acknowledgement had run out",
    "silence-ended": "a silence or window had ended",
    "escalated": "somebody passed it on",
    "staffing-gap": "nobody was on call for a step",
    "unreachable": "somebody can no longer be paged",
    "resolved": "it was over",
    "test": "somebody asked for it",
}
_OUTCOMES = {
    Outcome.ACCEPTED: "{by} took the page to {who} about {incident}",
    Outcome.DELIVERED: "the page to {who} about {incident} was delivered by {by}",
    Outcome.REJECTED: "{by} refused the page to {who} about {incident} for good",
    Outcome.TEMPORARY: "{by} could not take the page to {who} about {incident} now",
    Outcome.UNKNOWN: "nobody can say whether {by} sent the page to {who} about {incident}",
    Outcome.NO_RECEIPT: "no receipt came for the page to {who} about {incident} by {by}",
    Outcome.WITHDRAWN: "the page to {who} about {incident} by {by} was withdrawn: it had become pointless",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a page, by its key or by its decision."""

    key: str
    incident: str
    course: str
    person: str
    transport: str
    page: Page | None = None


class Pages:
    """The pages whose outcomes may still come. `told`: its own line has been said."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Known, bool]] = OrderedDict()

    def decided(self, page: Page, *, told: bool) -> Known:
        """Remember a page that the core decided."""
        known = Known(page.key, page.incident, page.course, page.person, page.transport, page)
        self._known[page.key] = (known, told)
        if len(self._known) > PAGES_MAX:
            self._known.popitem(last=False)
        return known

    def sent(self, key: str) -> tuple[Known, bool]:
        """The page of an outcome, and whether it was told before; from now on it counts as told."""
        known, told = self._known.get(key) or (from_key(key), False)
        self._known[key] = (known, True)
        if len(self._known) > PAGES_MAX:
            self._known.popitem(last=False)
        return known, told


def from_key(key: str) -> Known:
    """What a page's key tells: `P-017@5/r1/nurse-a/0`. A text of another shape is told as it is."""
    incident, round_, person, contact = key.rsplit("/", 3) if key.count("/") >= 3 else (key, "", "somebody", "")
    del round_
    transport = f"contact {int(contact) + 1}" if contact.isdigit() else "a contact"
    return Known(key, incident, incident.partition("@")[0].partition(".")[0], person, transport)


def page_words(known: Known, at: Instant) -> str:
    """Who was paged how, about what, and why."""
    page = known.page
    if page is None:
        return f"{known.person} was paged by {known.transport} about {known.incident}"
    if page.why is WhyPaged.RESOLVED:
        return f"{page.person} was told by {page.transport} that {page.incident} is over"
    if page.why is WhyPaged.TEST:
        return f"{page.person} was sent a test page by {page.transport}: {WHY[page.why.value]}"
    rules = [rule.replace("-", " ") for rule in page.about if rule not in WHY]
    late_ms = at - page.decided_at
    late = f"; it was due {say_ms(late_ms)} before" if late_ms >= LATE_MS else ""
    about = f"{page.incident} ({', '.join(rules)})" if rules else page.incident
    why = WHY.get(page.why.value, page.why.value)
    return f"{page.person} was paged by {page.transport} about {about}, {page.priority.value} priority: {why}{late}"


def outcome_words(known: Known, event: Sent, attempt: int) -> str:
    """What became of an attempt. `attempt` is 0 where the record does not say."""
    about = "a test" if known.page is not None and known.page.why is WhyPaged.TEST else known.incident
    words = _OUTCOMES[event.outcome].format(by=known.transport, who=known.person, incident=about)
    nth = f" (attempt {attempt})" if attempt > 1 else ""
    return f"{words}{nth}" + (f": {' '.join(event.reason.split())[:200]}" if event.reason else "")
