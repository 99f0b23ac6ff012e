"""A recorded journal told again: what was paged, and what other rules would have paged."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.core.events import Commanded, Event, Replied
from gateway.core.replies import sender_of
from gateway.domain.commands import Acknowledge, Close, Escalate, Note
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, Kind, Record
from rules.loader import load_protocol

READ_AT_ONCE = 2_000
SAME_MS = MINUTE_MS  # pages closer than this are the same page at the same time
MOVED_AT_MOST_MS = 4 * HOUR_MS  # pages further apart than this have nothing to do with each other

Change = Callable[[Record], Record]


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

    @property
    def at(self) -> Instant:
        """Where it stands in the story: when the page went out, or else would go out."""
        return self.before.at if self.before is not None else self.after.at if self.after is not None else 0


async def replay(journal: Journal, change: Change | None = None) -> Replayed:
    """Fold a journal from its first record. `change` may alter records, to ask what would have been.

    What people did then they do in the changed story too, although incidents and codes have other names in it: who had the
    course's incident has it. What transports would have said about pages that were not sent then is not known: none fails.
    """
    told = Replayed([], Fold(), 0, [])
    then = Fold() if change is not None else None
    after = 0
    while records := await journal.read(after, READ_AT_ONCE):
        for record in records:
            after = record.seq
            if isinstance(record, Damaged):
                told.damaged.append(record)
                continue
            told.records += 1
            event = told.fold.read(change(record) if change is not None else record)
            if then is not None:
                happened = then.read(record)
                then.judge(happened, record.received_at)
                event = _meant(event, then, told.fold)
            told.effects += [(record.seq, effect) for effect in told.fold.judge(event, record.received_at)]
    return told


def with_protocol(text: str, source: str) -> Change:
    """A change that puts this protocol in the place of the recorded one of its name. Raises `RulesError`.

    The ward's own overrides hold for it as they held for the recorded one.
    """
    name = load_protocol(text, source).name

    def change(record: Record) -> Record:
        if record.kind is not Kind.CONFIG:
            return record
        body = json.loads(record.body)
        body["protocols"] = {
            known: text if load_protocol(before, known).name == name else before for known, before in body["protocols"].items()
        }
        return replace(record, body=json.dumps(body).encode())

    return change


def compare(before: Sequence[Paged], after: Sequence[Paged]) -> list[Difference]:
    """What other rules change, in order of time: each page is matched with one of the same course, person and reason.

    First those at the same time, then the nearest, at most four hours apart; what remains is gone, or new.
    """
    alike: dict[tuple[str, str, str], tuple[list[Paged], list[Paged]]] = {}
    for side, pages in enumerate((before, after)):
        for page in pages:
            alike.setdefault(page.name, ([], []))[side].append(page)
    differences = [difference for olds, news in alike.values() for difference in _compare_alike(olds, news)]
    return sorted(differences, key=lambda difference: difference.at)


def _compare_alike(before: list[Paged], after: list[Paged]) -> list[Difference]:
    """Pages that differ in their time only. The nearest pair first, so that one page too many moves none of the others."""
    distances = [
        (abs(new.at - old.at), i, k)
        for i, old in enumerate(before)
        for k, new in enumerate(after)
        if abs(new.at - old.at) <= MOVED_AT_MOST_MS
    ]
    olds, news = dict(enumerate(before)), dict(enumerate(after))
    moved: list[Difference] = []
    for distance_ms, i, k in sorted(distances):
        if i in olds and k in news:
            old, new = olds.pop(i), news.pop(k)
            if distance_ms > SAME_MS:
                moved.append(Difference("earlier" if new.at < old.at else "later", old, new))
    gone = [Difference("gone", old, None) for old in olds.values()]
    return [*moved, *gone, *(Difference("new", None, new) for new in news.values())]


def _meant(event: Event, then: Fold, told: Fold) -> Event:
    """What a person did, with the names that things have in the changed story. `then` has just folded it as it was."""
    if isinstance(event, Commanded) and isinstance(event.command, Acknowledge | Escalate | Close | Note):
        command = replace(event.command, incident=_counterpart(event.command.incident, told))
        return replace(event, command=command)
    if isinstance(event, Replied):
        person = sender_of(then.monitor.state.ward, event.transport, event.address)
        taken = next(iter(_taken(person.id, then)), None) if person is not None else None
        if person is not None and taken is not None:
            return Commanded(event.seq, person.id, Acknowledge(incident=_counterpart(taken, told)))
    return event


def _taken(who: str, then: Fold) -> Iterable[str]:
    """Keys of the incidents that this person has just taken."""
    state = then.monitor.state
    for subject in state.all_subjects().values():
        for incident in subject.open.values():
            if incident.ack is not None and (incident.ack.who, incident.ack.at) == (who, state.desk.now_at):
                yield incident.key


def _counterpart(incident: str, told: Fold) -> str:
    """The open incident of the same course and route; the key as it is where there is none, or where it was no key."""
    name, at, _ = incident.partition("@")
    subject_id, _, route = name.partition(".")
    subject = told.monitor.state.peek(subject_id)
    if not at or subject is None or route not in subject.open:
        return incident
    return subject.open[route].key
