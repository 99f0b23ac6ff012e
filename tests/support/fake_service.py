"""A running gateway that does what its script says: for the API, the console and the command line."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.board import AlertLine, Board, CourseLine, HistoryLine, IncidentLine, PumpLine
from gateway.core.sheets import Sheets
from gateway.core.store import State
from gateway.domain.commands import Command, Once
from gateway.domain.effects import CommandResult, Page
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from gateway.domain.words import DeliveryState, IncidentState, Outcome, Priority, WhyPaged
from gateway.runtime.figures import Figures
from gateway.runtime.links import LinkedPage
from gateway.runtime.service import Health, PageLine

AT = 1_772_431_380_000  # 2026-03-02T06:03:00Z, a Monday; 14:03 in Hong Kong
TOKEN = "a-token-of-tests-0123456789"


def alert(rule: str, kind: str = "", *, priority: Priority = Priority.HIGH, minutes_ago: int = 30, first: str = "") -> AlertLine:
    """A firing alert."""
    return AlertLine(rule, kind, priority, AT - minutes_ago * MINUTE_MS, first or "Call the home: what does the pump show?")


def incident(subject: str = "P-017", seq: int = 48_213, **changes) -> IncidentLine:
    """A triggered high incident that nobody has."""
    line = IncidentLine(
        key=f"{subject}@{seq}",
        subject=subject,
        route="",
        state=IncidentState.TRIGGERED,
        priority=Priority.HIGH,
        opened_at=AT - 28 * MINUTE_MS,
        closed_at=None,
        holder="",
        held_until=None,
        next_step_at=AT + 2 * MINUTE_MS,
        paged=("nurse-a", "charge-nurse"),
        alerts=(alert("delivery-interrupted", minutes_ago=72),),
        history=(
            HistoryLine(AT - 28 * MINUTE_MS, "opened", "", "delivery-interrupted"),
            HistoryLine(AT - 5 * MINUTE_MS, "note", "nurse-a", "the home does not answer"),
        ),
    )
    return replace(line, **changes)


def course(name: str = "P-017", pump: str = "pump-17", **changes) -> CourseLine:
    """A course that is going well on a 7-day bag."""
    line = CourseLine(
        course=name,
        pump=pump,
        protocol="blinatumomab_home",
        cycle=1,
        state=DeliveryState.DELIVERING,
        since=AT - 26 * HOUR_MS,
        cause="",
        estimated=False,
        current_ms=0,
        worst_ms=0,
        limit_at=None,
        past_limit="premedication and supervised restart per protocol",
        interrupted_ms=0,
        heard_at=AT - 12 * SECOND_MS,
        silent=False,
        bag="7-day",
        hung_at=AT - 26 * HOUR_MS,
        planned_change_at=AT + 142 * HOUR_MS,
        remaining_ml=88.4,
        rate_ml_h=0.6,
        battery_percent=81.0,
        on_battery=True,
        conditions=(),
        incidents=(),
    )
    return replace(line, **changes)


def interrupted(name: str = "P-017", minutes: int = 72, **changes) -> CourseLine:
    """A course whose delivery is interrupted for so long, with its open incident."""
    since = AT - minutes * MINUTE_MS
    told = {
        "state": DeliveryState.INTERRUPTED,
        "since": since,
        "cause": "occlusion-downstream",
        "estimated": True,
        "current_ms": minutes * MINUTE_MS,
        "worst_ms": minutes * MINUTE_MS,
        "limit_at": since + 4 * HOUR_MS,
        "conditions": ("occlusion-downstream",),
        "incidents": (incident(name),),
    }
    return course(name, **{**told, **changes})


def pump(device: str = "pump-17", **changes) -> PumpLine:
    """A device that serves P-017 and of which nothing is odd."""
    line = PumpLine(
        device=device,
        course="P-017",
        heard_at=AT - 12 * SECOND_MS,
        online=True,
        boot="b1",
        missing=0,
        repeats=2,
        restarts=1,
        clock_offset_ms=350,
        clock_doubtful=False,
        refusals=(),
    )
    return replace(line, **changes)


def page(person: str = "nurse-a", *, outcome: Outcome | None = Outcome.DELIVERED, reason: str = "", **changes) -> PageLine:
    """A page about P-017's interruption, two minutes old."""
    told = Page(
        key=f"P-017@48213/r1/{person}/0",
        incident="P-017@48213",
        course="P-017",
        person=person,
        transport="sms",
        address="85290000001",
        priority=Priority.HIGH,
        why=WhyPaged.OPENED,
        about=("delivery-interrupted",),
        text="P-017 HIGH: delivery stopped (occlusion downstream) since about 12:51. 4 h limit at 16:51. Reply 4711 to take it.",
        code="4711",
        decided_at=AT - 2 * MINUTE_MS,
    )
    return PageLine(replace(told, **changes), outcome, reason, AT - MINUTE_MS)


def board(*courses: CourseLine, **changes) -> Board:
    """The board of the haematology ward with these courses; with P-017 going well where none is given."""
    line = Board(
        at=AT,
        site="haem-ward",
        timezone="Asia/Hong_Kong",
        connected=True,
        deaf=False,
        courses=courses or (course(),),
        site_incidents=(),
        pumps=(pump(),),
    )
    return replace(line, **changes)


def accept(seq: int, who: str, command: Command) -> CommandResult:
    """Everything is carried out."""
    return CommandResult(seq, ok=True, message=f"done for {who}", incident=getattr(command, "incident", ""))


def refuse(words: str) -> Callable[[int, str, Command], CommandResult]:
    """Nothing is carried out, for this reason."""
    return lambda seq, _who, _command: CommandResult(seq, ok=False, message=words)


@dataclass
class FakeService:
    """Implements `gateway.runtime.service.Service`. Set its fields.

    `told` are the commands that came, with who gave them; `ways` how each of them came, `onces` with which key. While `held` is
    not set, they wait.
    """

    shown: Board = field(default_factory=board)
    remembered: Sequence[IncidentLine] = ()
    filed: State = field(default_factory=State)
    paged: Sequence[PageLine] = ()
    known: Sequence[tuple[str, tuple[str, ...]]] = (("blinatumomab_home", ("24-hour", "48-hour", "7-day")),)
    state: Health = field(default_factory=lambda: Health(ready=True, findings=(), numbers=(("lag_records", 0.0),)))
    decide: Callable[[int, str, Command], CommandResult] = accept
    told: list[tuple[str, Command]] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    onces: list[Once | None] = field(default_factory=list)
    held: asyncio.Event | None = None
    replies: list[tuple[str, str, str]] = field(default_factory=list)
    links: dict[str, LinkedPage] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    broken: Exception | None = None
    numbers: Figures | None = None
    version: int = 1
    _changes: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> int:
        return self.shown.at

    def timezone(self) -> str:
        return self.shown.timezone

    def board(self) -> Board:
        if self.broken is not None:
            raise self.broken
        return self.shown

    def incidents(
        self, wanted: IncidentState | None = None, *, about: str = "", first: int = 0, most: int | None = None
    ) -> Sequence[IncidentLine]:
        subject = about.partition("@")[0].partition(".")[0]
        lines = [line for line in self.remembered if wanted in (None, line.state) and subject in ("", line.subject)]
        return lines[first : None if most is None else first + most]

    def pages(self) -> Sequence[PageLine]:
        return self.paged

    def sheets(self) -> Sheets:
        return Sheets(self.filed, self.shown.at)

    def protocols(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        return self.known

    async def command(self, who: str, command: Command, *, by: str = "", once: Once | None = None) -> CommandResult:
        if self.broken is not None:
            raise self.broken
        self.told.append((who, command))
        self.ways.append(by)
        self.onces.append(once)
        if self.held is not None:
            await self.held.wait()
        return self.decide(len(self.told), who, command)

    async def reply(self, transport: str, address: str, text: str) -> None:
        self.replies.append((transport, address, text))

    def linked(self, token: str) -> LinkedPage | None:
        return self.links.get(token)

    def note_finding(self, about: str, words: str) -> None:
        self.noted[about] = words

    async def changed(self, seen: int) -> int:
        while self.version <= seen:
            self._changes.clear()
            await self._changes.wait()
        return self.version

    def health(self) -> Health:
        return self.state

    def figures(self) -> Figures:
        assert self.numbers is not None
        return self.numbers

    def show(self, shown: Board) -> None:
        """Another board, and whoever waits for a change hears of it."""
        self.shown = shown
        self.version += 1
        self._changes.set()
