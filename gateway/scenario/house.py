"""The gateway of a story: the real fold, outbox and codec; a journal that survives crashes, and memory that does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.config.load import load_ward_mapping
from gateway.config.merge import merge_patch
from gateway.core.outbox import Decided, Outbox
from gateway.core.turns import Sending, Stage
from gateway.domain.effects import Answer, CommandResult, Effect, Page
from gateway.domain.instants import Instant
from gateway.domain.words import Outcome
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import clock_entry, config_entry, dropped_entry, message_entry, outcome_entry
from gateway.scenario.grammar import Scenario

SENDS_AT_ONCE = 64


@dataclass(slots=True)
class Planned:
    """An effect as the outbox keeps it: durable until it is done. `stage` is where a crash would find it."""

    item: Page | Answer
    attempts: int = 0
    stage: Stage | None = Stage.WAITING


class House:
    """One gateway: `journal` and `planned` are durable, everything else is memory."""

    def __init__(self, scenario: Scenario, tell: Callable[[Instant, str], None]) -> None:
        self._ward_raw: Mapping[str, Any] = scenario.ward_raw
        self._protocols = scenario.protocols
        self._tell = tell
        self.journal: list[Record] = []
        self.planned: dict[str, Planned] = {}
        self.inbox: list[tuple[str, bytes]] = []
        self.up = False
        self.session_up = True
        self.dropped_total = 0
        self.counts_untold: list[int] = []
        self.results: list[CommandResult] = []
        self.answers: list[tuple[Instant, Answer]] = []
        self.fold = Fold()
        self.outbox = Outbox()

    # ---- life ------------------------------------------------------------------------------------------------------

    def start(self, at: Instant) -> None:
        """Start, or start again: refold the journal, pick up what was planned, read what the broker kept."""
        ward = load_ward_mapping(self._ward_raw, "ward").ward
        self.fold = Fold()
        for record in self.journal:
            self.fold.apply(record)  # effects up to the cursor were made durable when they were decided
        facts = ward.transports.values()
        self.outbox = Outbox({fact.name: fact.receipt_deadline_ms for fact in facts if fact.receipts})
        for planned in self.planned.values():
            take_up = self.outbox.await_receipt if planned.stage is Stage.AWAITING_RECEIPT else self.outbox.plan
            take_up(planned.item, at, attempts=planned.attempts)
        self.up = True
        self._load(at, started=True)
        for key, planned in list(self.planned.items()):
            if planned.stage is Stage.SENDING and isinstance(planned.item, Page):  # nobody heard what became of it
                self.take(outcome_entry(key, Outcome.UNKNOWN, at, attempt=planned.attempts))
        if self.session_up:
            self._drain(at)

    def crash(self, at: Instant) -> None:
        """Lose the memory at this instant."""
        self.up = False
        self._tell(at, "gateway crashes")

    def reload(self, at: Instant, patch: Mapping[str, Any]) -> None:
        """Take a changed ward file in."""
        self._ward_raw = merge_patch(self._ward_raw, patch)
        self._load(at, started=False)

    def session(self, at: Instant, *, up: bool) -> None:
        """The broker goes away or comes back."""
        if up is self.session_up:
            return
        self.session_up = up
        if self.up and up:
            self._drain(at)
        elif self.up:
            self.take(clock_entry(at, "lost"))

    def _load(self, at: Instant, *, started: bool) -> None:
        loaded = load_ward_mapping(self._ward_raw, "ward")
        self.take(config_entry(loaded.text_for_journal, self._protocols, at, started=started))

    def _drain(self, at: Instant) -> None:
        self.take(clock_entry(at, "up"))
        kept, self.inbox = self.inbox, []
        for topic, payload in kept:
            self.take(message_entry(topic, payload, at))
        self._take_counts(at)
        self.take(clock_entry(at, "drained"))

    # ---- what arrives ----------------------------------------------------------------------------------------------

    def hear(self, at: Instant, topic: str, payload: bytes) -> None:
        """A message on the broker: read now, or kept there until the gateway is back."""
        if self.up and self.session_up:
            self.take(message_entry(topic, payload, at))
        else:
            self.inbox.append((topic, payload))

    def lose_unread(self, at: Instant, count: int) -> None:
        """The broker drops messages and counts them; nobody learns what they were."""
        self.counts_untold += [self.dropped_total, self.dropped_total + count]
        self.dropped_total += count
        if self.up and self.session_up:
            self._take_counts(at)

    def _take_counts(self, at: Instant) -> None:
        counts, self.counts_untold = self.counts_untold, []
        for total in counts:
            self.take(dropped_entry(at, total))

    def take(self, entry: Entry) -> None:
        """Journal an entry, fold it, make its effects durable."""
        record = Record(len(self.journal) + 1, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
        self.journal.append(record)
        for effect in self.fold.apply(record):
            self._do(effect, record.received_at)

    def _do(self, effect: Effect, at: Instant) -> None:
        if isinstance(effect, Page | Answer):
            self.planned.setdefault(effect.key, Planned(effect))
            self.outbox.plan(effect, at)
        elif isinstance(effect, CommandResult):
            self.results.append(effect)
            if not effect.ok:
                self._tell(at, f"refused: {effect.message}")
        if isinstance(effect, Answer):
            self.answers.append((at, effect))

    def tick(self, at: Instant) -> None:
        """A deadline of the core has come and nothing arrived."""
        self.take(clock_entry(at))

    def next_due(self) -> Instant | None:
        """When the core or the outbox wants to be asked."""
        if not self.up:
            return None
        dues = (self.fold.monitor.next_deadline(), self.outbox.next_due())
        return min((due for due in dues if due is not None), default=None)

    # ---- sending ---------------------------------------------------------------------------------------------------

    def to_send(self, at: Instant) -> tuple[Sending, ...]:
        """What is to be sent now; what became pointless or got no receipt is journalled."""
        decided: Decided = self.outbox.due(at, {}, self.fold.monitor.wanted, elsewhere=SENDS_AT_ONCE)
        for sending in decided.withdrawn:
            self._done(sending, Outcome.WITHDRAWN, at)
        for sending in decided.unreceipted:
            self._done(sending, Outcome.NO_RECEIPT, at)
        for sending in decided.send:
            self.planned[sending.item.key] = Planned(sending.item, sending.attempts, Stage.SENDING)
        return decided.send

    def settle(self, key: str, outcome: Outcome, at: Instant, attempt: int) -> None:
        """What a transport said, or did not say, about an attempt."""
        if not self.up:
            return
        stage = self.outbox.settle(key, outcome, at)
        planned = self.planned.get(key)
        if planned is not None:
            planned.stage = stage
        if stage is None:
            self.planned.pop(key, None)
        if planned is not None and isinstance(planned.item, Page):
            self.take(outcome_entry(key, outcome, at, attempt=attempt))

    def _done(self, sending: Sending, outcome: Outcome, at: Instant) -> None:
        self.planned.pop(sending.item.key, None)
        if isinstance(sending.item, Page):
            self.take(outcome_entry(sending.item.key, outcome, at, attempt=sending.attempts))
