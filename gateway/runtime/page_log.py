"""The latest pages and what became of each, for front ends; after a start, those of the records that were folded again."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from gateway.core.events import Event, Sent
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import Instant
from gateway.runtime.service import PageLine

PAGES_SHOWN = 200


class PageLog:
    """At most `PAGES_SHOWN` pages; older ones are in the incidents' histories, and in the journal."""

    def __init__(self) -> None:
        self._lines: deque[PageLine] = deque(maxlen=PAGES_SHOWN)

    def add(self, effects: Iterable[Effect]) -> None:
        """Take in the pages among the effects, in the order in which they were decided; the gateway's own test is no news."""
        pages = (effect for effect in effects if isinstance(effect, Page) and effect.course != SYNTHETIC)
        self._lines.extendleft(PageLine(page, None, "", page.decided_at) for page in pages)

    def note(self, event: Event, at: Instant) -> None:
        """Take in what became of an attempt; other events change nothing."""
        if not isinstance(event, Sent):
            return
        for index, line in enumerate(self._lines):
            if line.page.key == event.key:
                self._lines[index] = replace(line, outcome=event.outcome, reason=event.reason, at=at)

    def newest_first(self) -> tuple[PageLine, ...]:
        """All that are kept."""
        return tuple(self._lines)
