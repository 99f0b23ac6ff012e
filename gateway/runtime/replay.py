"""A recorded journal told again: what was paged, and what other rules would have paged."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.events import Commanded, Event, Replied, Sent
from gateway.core.replies import sender_of
from gateway.domain.commands import Acknowledge, Close, Escalate, HandOver, Note
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.words import Outcome, WhyPaged
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Damaged, Journal, Kind, Record
from rules.extending import Find
from rules.loader import load_protocol, self_contained, shipped_text

READ_AT_ONCE = 2_000
SAME_MS = MINUTE_MS  # pages closer than this are the same page at the same time
MOVED_AT_MOST_MS = 4 * HOUR_MS  # incidents that begin further apart than this have nothing to do with each other

Change = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Paged:
    """A page that a replay decided: at what instant, to whom, about what."""

    at: Instant
    page: Page

    @property
    def name(self) -> tuple[str, str, str]:
        """What makes two pages of an incident comparable: the person, the transport, the reason."""
        return (self.page.person, self.page.transport, self.page.why.value)


@dataclass(slots=True)
class Replayed:
    """The whole story of a journal, told again."""

    effects: list[tuple[int, Effect]]
    fold: Fold
    records: int
    damaged: list[Damaged]

    def paged(self) -> list[Paged]:
        """The pages, in order; those that somebody asked for to test the way are told by no rules."""
        pages = (effect for _, effect in self.effects if isinstance(effect, Page))
        return [Paged(page.decided_at, page) for page in pages if page.why is not WhyPaged.TEST]


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
    course's incident has it. Pages that were sent then fare as they did; all others are accepted at once.
    """
    told = Replayed([], Fold(), 0, [])
    other = _Other(change, Fold(), told.fold) if change is not None else None
    after = 0
    while records := await journal.read(after, READ_AT_ONCE):
        for record in records:
            after = record.seq
            if isinstance(record, Damaged):
                told.damaged.append(record)
                continue
            told.records += 1
            effects = other.apply(record) if other is not None else told.fold.judge(told.fold.read(record), record.received_at)
            told.effects += [(record.seq, effect) for effect in effects]
    return told


@dataclass(slots=True)
class _Other:
    """The changed story, told beside the one that happened: `then` says what people meant, and which pages were sent."""

    change: Change
    then: Fold
    told: Fold
    sent: set[str] = field(default_factory=set)

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Fold one record into both; returns what is decided in the changed one."""
        at = record.received_at
        self.sent |= _keys_of(self.then.judge(self.then.read(record), at))
        effects = self.told.judge(_meant(self.told.read(self.change(record)), self.then, self.told), at)
        for key in sorted(_keys_of(effects) - self.sent):
            effects += self.told.judge(Sent(record.seq, key, Outcome.ACCEPTED), at)
        return effects


def _keys_of(effects: Iterable[Effect]) -> set[str]:
    return {effect.key for effect in effects if isinstance(effect, Page)}


def with_protocol(text: str, source: str, find: Find = shipped_text) -> Change:
    """A change that puts this protocol in the place of the recorded one of its name. Raises `RulesError`.

    The ward's own overrides hold for it as they held for the recorded one. `find` gives the text of a protocol that it extends.
    """
    name, whole = load_protocol(text, source, find=find).name, self_contained(text, source, find)

    def change(record: Record) -> Record:
        if record.kind is not Kind.CONFIG:
            return record
        body = json.loads(record.body)
        body["protocols"] = {known: whole if known == name else before for known, before in body["protocols"].items()}
        return replace(record, body=json.dumps(body).encode())

    return change


def compare(before: Sequence[Paged], after: Sequence[Paged]) -> list[Difference]:
    """What other rules change, in order of time.

    First the incidents are matched: those of the same course and route that began at the same time, then the nearest, at most
    four hours apart. In matching incidents, pages of one name (person, transport, reason) at the same time are no difference; of
    the others the first is matched with the first, and so on. What has no counterpart is gone, or new.
    """
    differences: list[Difference] = []
    for olds, news in _matched(_by_incident(before), _by_incident(after)):
        for name in dict.fromkeys(page.name for page in (*olds, *news)):
            differences += _compare_alike([p for p in olds if p.name == name], [p for p in news if p.name == name])
    return sorted(differences, key=lambda difference: difference.at)


def _by_incident(pages: Sequence[Paged]) -> dict[str, list[Paged]]:
    incidents: dict[str, list[Paged]] = {}
    for page in pages:
        incidents.setdefault(page.page.incident, []).append(page)
    return incidents


def _matched(before: dict[str, list[Paged]], after: dict[str, list[Paged]]) -> list[tuple[list[Paged], list[Paged]]]:
    """Pairs of pages of matching incidents, the nearest first; an incident without a counterpart has an empty one."""
    by_name: dict[str, list[str]] = {}
    for key in after:
        by_name.setdefault(key.partition("@")[0], []).append(key)
    distances = [
        (abs(after[new][0].at - olds[0].at), old, new)
        for old, olds in before.items()
        for new in by_name.get(old.partition("@")[0], ())
    ]
    left_before, left_after = dict(before), dict(after)
    pairs = [
        (left_before.pop(old), left_after.pop(new))
        for distance_ms, old, new in sorted(distances)
        if distance_ms <= MOVED_AT_MOST_MS and old in left_before and new in left_after
    ]
    return [*pairs, *((olds, []) for olds in left_before.values()), *(([], news) for news in left_after.values())]


def _compare_alike(before: list[Paged], after: list[Paged]) -> list[Difference]:
    """Pages of one name in one incident, each list in order of time."""
    olds, news = [], list(after)
    for old in before:
        same = next((new for new in news if abs(new.at - old.at) <= SAME_MS), None)
        if same is None:
            olds.append(old)
        else:
            news.remove(same)
    moved = [Difference("earlier" if new.at < old.at else "later", old, new) for old, new in zip(olds, news, strict=False)]
    gone = [Difference("gone", old, None) for old in olds[len(news) :]]
    return [*moved, *gone, *(Difference("new", None, new) for new in news[len(olds) :])]


def _meant(event: Event, then: Fold, told: Fold) -> Event:
    """What a person did, with the names that things have in the changed story. `then` has just folded it as it was."""
    if isinstance(event, Commanded) and isinstance(event.command, Acknowledge | Escalate | HandOver | Close | Note):
        command = replace(event.command, incident=_counterpart(event.command.incident, told))
        return replace(event, command=command)
    if isinstance(event, Replied):
        state = then.monitor.state
        person = sender_of(state.ward, state.courses.values(), event.transport, event.address)
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
