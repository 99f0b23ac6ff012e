"""A recorded journal told again: what was paged, and what other rules would have paged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.events import Loaded
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, Record
from rules.loader import load_protocol
from rules.model import Protocol

READ_AT_ONCE = 2_000
SAME_MS = MINUTE_MS  # pages closer than this are the same page at the same time

Change = Callable[[Loaded], Loaded]


@dataclass(frozen=True, slots=True)
class Paged:
    """A page that a replay decided: at what instant, to whom, about what."""

    at: Instant
    page: Page

    @property
    def name(self) -> tuple[str, str, str]:
        """What makes two pages of two replays comparable: the course, the person, the reason."""
        return (self.page.course, self.page.person, self.page.why.value)


@dataclass(slots=True)
class Replayed:
    """The whole story of a journal, told again."""

    effects: list[tuple[int, Effect]]
    fold: Fold
    records: int
    damaged: list[Damaged]

    def paged(self) -> list[Paged]:
        """The pages, in order."""
        return [Paged(effect.decided_at, effect) for _, effect in self.effects if isinstance(effect, Page)]


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a comparison: `gone`, `new`, `earlier` or `later`; the page before and after."""

    kind: str
    before: Paged | None
    after: Paged | None


async def replay(journal: Journal, change: Change | None = None) -> Replayed:
    """Fold a journal from its first record. `change` may alter each loaded configuration, to ask what would have been."""
    told = Replayed([], Fold(), 0, [])
    after = 0
    while records := await journal.read(after, READ_AT_ONCE):
        for record in records:
            after = record.seq
            if isinstance(record, Damaged):
                told.damaged.append(record)
            else:
                told.records += 1
                told.effects += [(record.seq, effect) for effect in _apply(told.fold, record, change)]
    return told


def with_protocol(text: str, source: str) -> Change:
    """A change that puts this protocol in the place of the recorded one of its name. Raises `RulesError`."""
    protocol = load_protocol(text, source)

    def change(loaded: Loaded) -> Loaded:
        protocols: Mapping[str, Protocol] = {**loaded.protocols, protocol.name: protocol}
        return Loaded(loaded.seq, loaded.ward, protocols, started=loaded.started)

    return change


def compare(before: Sequence[Paged], after: Sequence[Paged]) -> list[Difference]:
    """What other rules change: each page is matched with the nearest of the same course, person and reason."""
    left = list(after)
    differences = []
    for page in before:
        match = min((p for p in left if p.name == page.name), key=lambda p: abs(p.at - page.at), default=None)
        if match is None:
            differences.append(Difference("gone", page, None))
            continue
        left.remove(match)
        if abs(match.at - page.at) > SAME_MS:
            differences.append(Difference("earlier" if match.at < page.at else "later", page, match))
    differences += [Difference("new", None, page) for page in left]
    return sorted(differences, key=lambda d: (d.before or d.after).at if (d.before or d.after) else 0)  # type: ignore[union-attr]


def _apply(fold: Fold, record: Record, change: Change | None) -> tuple[Effect, ...]:
    event = fold.read(record)
    if change is not None and isinstance(event, Loaded):
        event = change(event)
    return fold.monitor.step(event, record.received_at)
