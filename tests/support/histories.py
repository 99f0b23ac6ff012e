"""Random but repeatable histories of a ward, as a gateway would have journalled them on a bad day."""

import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump
from gateway.config.load import load_ward_mapping
from gateway.core.store import State
from gateway.domain.bench import Commissioned, EndBench, StartBench, Verdict
from gateway.domain.commands import (
    Acknowledge,
    ClearCondition,
    Close,
    Command,
    EndCourse,
    Enrol,
    Escalate,
    HangBag,
    Note,
)
from gateway.domain.effects import Effect, Page
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import Condition, NotDeliveringReason, Outcome
from gateway.runtime.fold import Fold
from gateway.runtime.ports import Entry, Journal, Record
from gateway.runtime.records import clock_entry, command_entry, config_entry, message_entry, outcome_entry, reply_entry
from gateway.runtime.snapshots import Snapshotter, dump
from rules.loader import shipped_text

START_AT: Instant = 1_772_409_600_000  # 2026-03-02T08:00+08:00
SITE = "ward"
PROTOCOL = "blinatumomab_home"
SMS = "sms"

WARD: Mapping[str, Any] = {
    "site": SITE,
    "timezone": "Asia/Hong_Kong",
    "transports": {
        "sms": {"kind": "apprise", "url": "json://127.0.0.1/{address}"},
        "voice": {"kind": "apprise", "url": "json://127.0.0.1/{address}"},
    },
    "people": {
        "nurse-a": {"contacts": [{"sms": "8521"}, {"voice": "8521", "after": "2m"}]},
        "nurse-b": {"contacts": [{"sms": "8522"}, {"voice": "8522", "after": "0s"}]},
        "charge": {"contacts": [{"sms": "8523"}, {"voice": "8523", "after": "1m"}]},
    },
    "teams": {"seniors": ["charge", "nurse-b"]},
    "policies": {
        "high": {
            "steps": [
                {"page": ["person:nurse-a"], "wait": "5m"},
                {"page": ["person:nurse-a", "person:charge"], "wait": "5m"},
                {"page": ["all:seniors"], "wait": "10m"},
            ],
            "repeat": {"from_step": 2, "every": "10m"},
            "ack_lease": "30m",
            "milestones_page": ["person:charge"],
        },
        "medium": {
            "steps": [{"page": ["person:nurse-a"], "wait": "15m"}, {"page": ["person:charge"], "wait": "30m"}],
            "repeat": {"from_step": 1, "every": "30m"},
            "ack_lease": "2h",
        },
        "low": {"steps": []},
        "fallback": ["person:charge"],
    },
    "protocols": [PROTOCOL],
}


def ward_text(**changed: Any) -> str:
    """The ward file as the journal keeps it, with some sections changed."""
    return load_ward_mapping({**WARD, **changed}, "ward").text_for_journal


def protocol_texts() -> dict[str, str]:
    """The shipped protocol, by name."""
    return {PROTOCOL: shipped_text(PROTOCOL) or ""}


def cells_of(state: State) -> dict[str, str]:
    """Every cell of a state as canonical JSON, without the stamp of its form."""
    keys = ["desk:", *(f"pump:{name}" for name in state.pumps), *(f"course:{name}" for name in state.courses)]
    keys += [f"site:{name}" for name in state.sites]
    bodies = {key: (dump(state, key) or b"").partition(b" ")[2] or b"null" for key in sorted(keys)}
    return {key: json.dumps(json.loads(body), sort_keys=True) for key, body in bodies.items()}


STRANGERS = 2  # pumps that serve nobody


class History:
    """Makes records: pumps in trouble, people, outcomes of pages, lost sessions, gaps.

    The same seed makes the same records. `fold` is the live fold that the records are fed to as they are made; `effects` what it
    decided, each with the seq of its record.
    """

    def __init__(self, seed: int, *, pumps: int = 6) -> None:
        self.dice = random.Random(seed)
        self.fold = Fold()
        self.at = START_AT
        self.records: list[Record] = []
        self.effects: list[tuple[int, Effect]] = []
        self._pumps = {
            f"pump-{n}": SimulatedPump(
                f"pump-{n}", rate_ml_h=0.6, bag_ml=100.8, started_at=self.at + n * SECOND_MS, report_every_ms=2 * MINUTE_MS
            )
            for n in range(pumps)
        }
        self._unsettled: list[Page] = []
        self._codes: list[tuple[str, str]] = []

    def grow(self, steps: int) -> Iterator[Record]:
        """So many more happenings; each gives some records, which are folded as they are yielded."""
        if not self.records:
            yield from self._take(
                [config_entry(ward_text(), protocol_texts(), self.at, started=True), clock_entry(self.at, "up")]
            )
            self.at += MINUTE_MS
            for number, device in enumerate(self._pumps):
                if number >= STRANGERS:
                    yield from self._obey("nurse-a", Enrol(course=f"P-{number}", pump=device, protocol=PROTOCOL, bag="7-day"))
                yield from self._said(device, self._pumps[device].power_up(self.at))
        for _ in range(steps):
            yield from self._happen()

    def _happen(self) -> Iterator[Record]:
        yield from self._let_time_pass()
        dice = self.dice.random()
        if dice < 0.5:
            yield from self._pump_acts()
        elif dice < 0.75:
            yield from self._settle_pages()
        elif dice < 0.92:
            yield from self._person_acts()
        else:
            yield from self._house_acts()

    def _let_time_pass(self) -> Iterator[Record]:
        """Mostly minutes, sometimes hours; the deadlines on the way are met by clock records, unless nobody was there."""
        until = self.at + self.dice.choice((1, 200, 10 * SECOND_MS, MINUTE_MS, MINUTE_MS, 4 * MINUTE_MS, 20 * MINUTE_MS))
        away = self.dice.random() < 0.05
        while True:
            reports = [(pump.next_report_at, name) for name, pump in self._pumps.items() if pump.works.alive]
            due_at = self.fold.monitor.next_deadline()
            next_at, device = min(reports)
            if due_at is not None and due_at < min(next_at, until) and not away:
                self.at = max(self.at, due_at + self.dice.choice((0, 0, 3)))
                yield from self._take([clock_entry(self.at)])
            elif next_at <= until:
                self.at = max(self.at, next_at)
                said = self._pumps[device].report(next_at)
                yield from () if away else self._said(device, said)
            else:
                self.at = max(self.at, until)
                return

    def _pump_acts(self) -> Iterator[Record]:
        device, pump = self.dice.choice(list(self._pumps.items()))
        acts = (
            lambda: pump.alarm(self.at, self.dice.choice(list(Condition))),
            lambda: pump.clear(self.at, self.dice.choice(sorted(pump.active) or [Condition.OTHER])),
            lambda: pump.stop(self.at, self.dice.choice(list(NotDeliveringReason))),
            lambda: pump.run(self.at),
            lambda: pump.run(self.at),
            lambda: pump.hang_bag(self.at, 100.8),
            lambda: pump.disconnect(self.at, keeps=self.dice.random() < 0.7),
            lambda: pump.reconnect(self.at),
            lambda: pump.reconnect(self.at),
            lambda: pump.occlude(self.at),
            lambda: pump.power_up(self.at),
        )
        yield from self._said(device, self.dice.choice(acts)())

    def _said(self, device: str, messages: list[Outgoing]) -> Iterator[Record]:
        dice = self.dice.random()
        if dice < 0.1:
            messages = [message for message in messages for _ in range(2)]  # the broker repeats
        elif dice < 0.2:
            messages = messages[::-1]
        entries = [message_entry(f"dw/v1/{SITE}/{device}/{m.channel}", m.payload(), self.at) for m in messages]
        if dice > 0.9:
            entries += [message_entry(f"dw/v1/{SITE}/{device}/telemetry", b"{oops", self.at)] * 4
        yield from self._take(entries)

    def _settle_pages(self) -> Iterator[Record]:
        pages, self._unsettled = self._unsettled, []
        for page in pages:
            outcome = self.dice.choice((Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REJECTED, Outcome.TEMPORARY, Outcome.UNKNOWN))
            if outcome in (Outcome.TEMPORARY, Outcome.UNKNOWN):
                self._unsettled.append(page)
            yield from self._take([outcome_entry(page.key, outcome, self.at, attempt=1, reason="as the dice fell")])

    def _person_acts(self) -> Iterator[Record]:
        who = self.dice.choice(("nurse-a", "charge", "a stranger"))
        course = f"P-{self.dice.randint(1, len(self._pumps))}"
        if self._codes and self.dice.random() < 0.5:
            address, code = self.dice.choice(self._codes)
            text = self.dice.choice((code, f"ack {code}", "ack", "9999", "what?", "STOP", "START", "START"))
            yield from self._take([reply_entry(SMS, address, text, self.at)])
            return
        device = self.dice.choice(list(self._pumps))
        commands: tuple[Command, ...] = (
            Acknowledge(incident=course),
            Acknowledge(incident=self.dice.choice((SITE, course)), for_ms=10 * MINUTE_MS),
            Escalate(incident=course),
            Close(incident=course, reason="seen"),
            Note(incident=course, text="called; “fine”"),
            HangBag(course=course, bag="7-day", primed_ml=2.5),
            ClearCondition(pump=device, condition=self.dice.choice(list(Condition)).value),
            EndCourse(course=course, reason="over"),
            StartBench(pump=device, for_ms=10 * MINUTE_MS),
            EndBench(pump=device),
            Commissioned(pump=device, digest="ab" * 32, verdict=Verdict.PASSED),
            Enrol(course=course, pump=device, protocol=PROTOCOL, bag=self.dice.choice(("7-day", "48h", "no such")), cycle=2),
            Enrol(course=course, pump=device, protocol=PROTOCOL, bag="7-day", cycle=2),
        )
        yield from self._obey(who, self.dice.choice(commands))

    def _obey(self, who: str, command: Command) -> Iterator[Record]:
        yield from self._take([command_entry(who, command, self.at)])

    def _house_acts(self) -> Iterator[Record]:
        dice = self.dice.random()
        if dice < 0.6:
            yield from self._take([clock_entry(self.at, self.dice.choice(("lost", "up", "drained")))])
        elif dice < 0.8:
            people = dict(WARD["people"])
            people["nurse-a"] = {"contacts": [{"voice": "8521"}, {"sms": "8521", "after": "30s"}]}
            text = ward_text(people=people) if dice < 0.7 else ward_text()
            yield from self._take([config_entry(text, protocol_texts(), self.at, started=dice < 0.65)])
        else:
            yield from self._take([clock_entry(self.at)])

    def _take(self, entries: list[Entry]) -> Iterator[Record]:
        for entry in entries:
            place = len(self.records) + 1
            record = Record(place, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body)
            self.records.append(record)
            decided = self.fold.apply(record)
            self.effects += [(record.seq, effect) for effect in decided]
            pages = [effect for effect in decided if isinstance(effect, Page)]
            self._unsettled += pages
            self._codes = (self._codes + [(page.address, page.code) for page in pages])[-20:]
            yield record


def entry_of(record: Record) -> Entry:
    """The record before it had a number."""
    return Entry(record.received_at, record.kind, record.site, record.device, record.topic, record.body)


class Live:
    """A history that is journalled as it happens, with snapshots taken a cell at a time while it goes on."""

    def __init__(self, seed: int, journal: Journal, *, often: float = 0.05) -> None:
        self.history = History(seed)
        self.journal = journal
        self._often = often
        self._dice = random.Random(seed)
        self._snapshots = Snapshotter(journal, self.history.fold.monitor.state)

    async def grow(self, steps: int) -> AsyncIterator[Record]:
        """Yields after each record."""
        for record in self.history.grow(steps):
            await self.journal.append([entry_of(record)])
            if not self._snapshots._staging and self._dice.random() < self._often:
                self._snapshots.begin(record.seq)
            elif self._dice.random() < 0.3:
                await self._snapshots.work()
            yield record

    async def save(self) -> None:
        """Take a whole snapshot now."""
        while self._snapshots._staging:
            await self._snapshots.work()
        self._snapshots.begin(self.history.records[-1].seq)
        while self._snapshots._staging:
            await self._snapshots.work()

    @property
    def cells(self) -> dict[str, str]:
        """The live state."""
        return cells_of(self.history.fold.monitor.state)
