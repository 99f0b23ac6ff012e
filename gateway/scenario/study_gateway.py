"""The gateway of a study: the real codec, decoders, core and outbox in virtual time; transports that take every page at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from gateway.config.settings import LoadedWard
from gateway.core.forecast import BagForecast, bag_forecast
from gateway.core.outbox import Outbox
from gateway.core.turns import Sending
from gateway.domain.commands import Command
from gateway.domain.effects import Answer, CommandResult, Effect, Page, Point
from gateway.domain.instants import Instant
from gateway.domain.words import IncidentState, Outcome
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Entry, Record
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry, outcome_entry

SENDS_AT_ONCE = 64


@dataclass(slots=True)
class Span:
    """An incident's life; `closed_at` None while it is open."""

    course: str
    opened_at: Instant
    closed_at: Instant | None = None


class StudyGateway:
    """One ward's gateway. Its journal is folded and forgotten; `digest` remembers that it was this journal."""

    def __init__(self, loaded: LoadedWard, protocols: Mapping[str, str], at: Instant) -> None:
        self.fold = Fold()
        self.incidents: dict[str, Span] = {}
        self.refused: list[str] = []
        self.records = 0
        self._site = loaded.ward.site
        self._receipts = frozenset(fact.name for fact in loaded.ward.transports.values() if fact.receipts)
        self._outbox = Outbox()
        self._digest = blake2b(digest_size=16)
        self._deadline_at: Instant | None = None
        self._stale = True  # the core took a record since it was asked for its deadline
        self.take(config_entry(loaded.text_for_journal, protocols, at, started=True))
        self.take(clock_entry(at, "up"))
        self.take(clock_entry(at, "drained"))

    def take(self, entry: Entry) -> None:
        """Number an entry, fold it, plan what comes of it."""
        self.records += 1
        record = Record(self.records, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
        self._digest.update(b"%d %d " % (record.seq, record.received_at) + record.body)
        self._stale = True
        for effect in self.fold.apply(record):
            self._note(effect, record.received_at)

    def hear(self, topic: str, payload: bytes, at: Instant) -> None:
        """A message from the broker."""
        self.take(message_entry(topic, payload, at))

    def tell(self, who: str, command: Command, at: Instant) -> None:
        """A person's command."""
        self.take(command_entry(who, command, at))

    def next_due(self) -> Instant | None:
        """When the core or the outbox wants to be asked."""
        dues = (self._deadline(), self._outbox.next_due())
        return min((due for due in dues if due is not None), default=None)

    def tick(self, at: Instant) -> None:
        """Let a deadline of the core pass."""
        deadline_at = self._deadline()
        if deadline_at is not None and deadline_at <= at:
            self.take(clock_entry(at))

    def _deadline(self) -> Instant | None:
        """The core's next deadline: asked for as often as not, and changed by records alone."""
        if self._stale:
            self._deadline_at, self._stale = self.fold.monitor.next_deadline(), False
        return self._deadline_at

    def send(self, at: Instant) -> list[Page]:
        """Hand out what is to be sent, until nothing more comes of it at this instant; returns the pages that went out."""
        pages: list[Page] = []
        while len(self._outbox):
            decided = self._outbox.due(at, {}, self.fold.monitor.wanted, elsewhere=SENDS_AT_ONCE)
            for sending in decided.withdrawn:
                self._journal_outcome(sending, Outcome.WITHDRAWN, at)
            for sending in decided.send:
                outcome = Outcome.DELIVERED if sending.item.transport in self._receipts else Outcome.ACCEPTED
                self._outbox.settle(sending.item.key, outcome, at)
                self._journal_outcome(sending, outcome, at)
                if isinstance(sending.item, Page):
                    pages.append(sending.item)
                    self._digest.update(f"{at} {sending.item.key} {sending.item.text}".encode())
            if not decided.send and not decided.withdrawn:
                break
        return pages

    def is_open(self, incident: str) -> bool:
        """Whether the incident is known and not over."""
        span = self.incidents.get(incident)
        return span is not None and span.closed_at is None

    def conditions(self, device: str) -> tuple[str, ...]:
        """Alarm conditions that are shown of a pump as not ended."""
        pump = self.fold.monitor.state.pumps.get(f"{self._site}/{device}")
        return tuple(known.condition.value for known in pump.conditions.values() if known.active) if pump else ()

    def forecast(self, course_id: str, at: Instant) -> BagForecast | None:
        """What the core forecasts of the bag that hangs on a course, as of now."""
        state = self.fold.monitor.state
        course = state.courses.get(course_id)
        if course is None or course.bag is None:
            return None
        pump = state.pumps[f"{self._site}/{course.pump}"]
        return bag_forecast(course.bag, at, rate_ml_h=course.bag.rate_ml_h, remaining_ml=pump.remaining_ml, stopped_ms=0)

    def digest(self) -> str:
        """Of every record and page so far."""
        return self._digest.hexdigest()

    def _note(self, effect: Effect, at: Instant) -> None:
        if isinstance(effect, Page | Answer):
            self._outbox.plan(effect, at)
        elif isinstance(effect, CommandResult) and not effect.ok:
            self.refused.append(effect.message)
        elif isinstance(effect, Point) and effect.measurement == "incident":
            self._note_incident(effect)

    def _note_incident(self, point: Point) -> None:
        said, tags = dict(point.fields), dict(point.tags)
        key = str(said["incident"])
        span = self.incidents.setdefault(key, Span(tags["course"], point.at))
        span.closed_at = point.at if said["state"] == IncidentState.RESOLVED else None

    def _journal_outcome(self, sending: Sending, outcome: Outcome, at: Instant) -> None:
        if isinstance(sending.item, Page):
            self.take(outcome_entry(sending.item.key, outcome, at, attempt=sending.attempts))
