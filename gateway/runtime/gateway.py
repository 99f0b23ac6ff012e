"""The running gateway: pipeline, dispatcher and forwarder around one monitor; what front ends ask is answered here."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence

from gateway.core.board import Board, IncidentLine, build_board, incident_lines
from gateway.core.events import Event, Heard
from gateway.core.outbox import Outbox
from gateway.core.sheets import Sheets
from gateway.core.synthetic import PROTOCOL as SYNTHETIC_PROTOCOL
from gateway.domain.commands import Command, Once
from gateway.domain.effects import CommandResult, Effect
from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.words import IncidentState
from gateway.runtime.dispatcher import Dispatcher
from gateway.runtime.emergency import Emergency
from gateway.runtime.figures import Figures
from gateway.runtime.forwarder import CURSOR as FORWARDER_CURSOR
from gateway.runtime.forwarder import Forwarder
from gateway.runtime.kept_protocols import with_those_in_use
from gateway.runtime.links import LinkedPage
from gateway.runtime.parts import Parts
from gateway.runtime.pipeline import CURSOR, RETRY_MS, Pipeline
from gateway.runtime.points import lines_of
from gateway.runtime.ports import EffectKind, JournalFull, Record
from gateway.runtime.probing import ProbeReport
from gateway.runtime.records import command_entry, config_entry, reply_entry
from gateway.runtime.recovery import Recovered
from gateway.runtime.service import Health, PageLine
from gateway.runtime.vitals import Organs, Vitals
from gateway.runtime.watchers import Watchers

RETENTION_EVERY_MS = HOUR_MS


class Gateway:
    """Implements `gateway.runtime.service.Service`."""

    def __init__(self, parts: Parts, recovered: Recovered) -> None:
        self._parts, self._recovered, self._fold = parts, recovered, recovered.fold
        monitor = recovered.fold.monitor
        outbox = Outbox(parts.receipt_deadlines_ms)
        self._dispatcher = Dispatcher(parts.transports, outbox, monitor, parts.clock, parts.journal)
        self._emergency = Emergency(parts.transports, parts.clock, lambda: monitor.state.ward)
        self._pipeline = Pipeline(
            journal=parts.journal,
            source=parts.source,
            clock=parts.clock,
            fold=recovered.fold,
            keeps_points=parts.sink is not None,
            send=self._dispatcher.plan,
            as_sent=self._dispatcher.as_sent,
            on_judged=self._judged,
            on_effects=self._effects,
            on_full=self._emergency.note,
        )
        self._dispatcher.report = self._pipeline.append
        self._dispatcher.text_of = parts.text_of
        self._forwarder = self._make_forwarder()
        self._watchers = Watchers(
            parts,
            fold=recovered.fold,
            pipeline=self._pipeline,
            dispatcher=self._dispatcher,
            emergency=self._emergency,
            command=self.command,
        )
        organs = Organs(recovered, self._pipeline, outbox, self._forwarder, self._watchers)
        self._vitals = Vitals(parts, organs, lambda: self.config_findings)
        self._pages = recovered.pages
        self._version, self._changed = 1, asyncio.Event()
        self.config_findings: tuple[str, ...] = ()  # what was wrong with files that were not taken in

    def _make_forwarder(self) -> Forwarder | None:
        if self._parts.sink is None:
            return None
        return Forwarder(
            journal=self._parts.journal,
            sink=self._parts.sink,
            clock=self._parts.clock,
            lines_for=self._lines_for,
            set_aside=self._parts.set_aside,
        )

    # ---- life ------------------------------------------------------------------------------------------------------

    async def start(self, ward: str, protocols: Mapping[str, str]) -> None:
        """Make durable what the last crash did not, load the configuration, pick up unsent pages.

        While the journal takes nothing this waits, and people are told.
        """
        telling = asyncio.create_task(self._emergency.run())
        try:
            await self._catch_up()
            texts = await with_those_in_use(protocols, self._protocols_in_use(), self._parts.journal)
            await self._pipeline.keep([config_entry(ward, texts, self.now(), started=True)])
            await self._dispatcher.restore()
        finally:
            telling.cancel()

    async def reload(self, ward: str, protocols: Mapping[str, str]) -> None:
        """Take a changed ward file in. Nobody is paged again for what was paged. Raises `JournalFull`."""
        texts = await with_those_in_use(protocols, self._protocols_in_use(), self._parts.journal)
        await self._pipeline.append([config_entry(ward, texts, self.now(), started=False)])

    async def _catch_up(self) -> None:
        done, keeps_points = self._recovered, self._parts.sink is not None
        rows = [row for row in done.pending if keeps_points or row.kind is not EffectKind.POINT]
        while True:
            try:
                await self._parts.journal.commit(CURSOR, done.judged, rows)
                break
            except JournalFull as full:
                self._emergency.note(str(full))
                await self.sleep_until(self.now() + RETRY_MS)
        self._emergency.note(None)
        done.pending.clear()
        self._pipeline.resume(judged=done.judged, cursor=done.judged, snapshot=done.snapshot, stale=done.stale)
        if self._forwarder is not None:
            self._forwarder.resume(done.judged)

    def _protocols_in_use(self) -> set[str]:
        return {course.protocol for course in self._fold.monitor.state.courses.values() if course.ended_at is None} - {
            SYNTHETIC_PROTOCOL
        }

    async def run(self) -> None:
        """Everything at once, until cancelled or until a part fails: then all of it ends, and the supervisor starts anew."""
        jobs: list[Awaitable[None]] = [
            *(job for one in (self._parts.source, *self._parts.listeners) for job in (one.run(), self._pipeline.ingest(one))),
            self._pipeline.judge(),
            self._dispatcher.run(),
            self._emergency.run(),
            self._retain(),
            self._vitals.run(),
            *self._watchers.jobs(lambda: self.health().ready),
        ]
        if self._forwarder is not None:
            jobs.append(self._forwarder.run())
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(_running(job))

    async def _retain(self) -> None:
        while True:
            await self._parts.clock.sleep_until(self.now() + RETENTION_EVERY_MS)
            keep_after = self._pipeline.snapshot_seq
            if self._forwarder is not None:
                keep_after = min(keep_after, await self._parts.journal.cursor(FORWARDER_CURSOR))
            before_at = self.now() - self._parts.keep_ms
            try:
                await self._parts.journal.prune(before_at=before_at, max_bytes=self._parts.max_bytes, keep_after=keep_after)
            except JournalFull:
                continue  # said by the pipeline; pruning comes round again

    # ---- what the pipeline tells -----------------------------------------------------------------------------------

    def _judged(self, record: Record, event: Event) -> None:
        if self._forwarder is not None:
            lines = self._lines_of(event, record.received_at) if isinstance(event, Heard) else []
            self._forwarder.offer(record.seq, lines)
        self._pages.note(event, record.received_at)
        self._watchers.note_judged(record, event)
        self._vitals.note_judged(record, event)
        self._version += 1
        self._changed.set()

    def _effects(self, effects: Sequence[Effect]) -> None:
        self._pages.add(effects)
        self._watchers.note_effects(effects)
        self._vitals.note_effects(effects)
        self._dispatcher.nudge()
        if self._forwarder is not None:
            self._forwarder.wake()
        self._version += 1
        self._changed.set()

    def _lines_for(self, record: Record) -> list[bytes]:
        event = self._fold.read(record)
        return self._lines_of(event, record.received_at) if isinstance(event, Heard) else []

    def _lines_of(self, event: Heard, received_at: Instant) -> list[bytes]:
        if not event.decoded.readings or self._watchers.is_test(event.site, event.device):
            return []
        course = self._course_at(event.site, event.device, received_at)
        return lines_of(event.site, event.device, course, event.decoded.readings, received_at)

    def _course_at(self, site: str, device: str, at: Instant) -> str:
        """Which course the pump served then: the one of now, or an ended one that had it at that time."""
        state = self._fold.monitor.state
        pump = state.pumps.get(f"{site}/{device}")
        course = state.courses.get(pump.course) if pump is not None and pump.course else None
        if course is not None and at >= course.enrolled_at:
            return course.id
        return next(
            (
                old.id
                for old in state.courses.values()
                if old.pump == device and old.ended_at is not None and old.enrolled_at <= at < old.ended_at
            ),
            "",
        )

    # ---- Service ---------------------------------------------------------------------------------------------------

    def now(self) -> Instant:
        """The gateway's time."""
        return self._parts.clock.now()

    @property
    def version(self) -> int:
        """Rises with everything that happens."""
        return self._version

    @property
    def judged_seq(self) -> int:
        """The newest record that was judged."""
        return self._pipeline.judged_seq

    async def sleep_until(self, at: Instant) -> None:
        """Return when the gateway's clock says so."""
        await self._parts.clock.sleep_until(at)

    def timezone(self) -> str:
        """The ward's, by its IANA name."""
        return self._fold.monitor.state.ward.timezone

    def board(self) -> Board:
        """The board now."""
        return build_board(self._fold.monitor.state, self.now())

    def incidents(
        self, wanted: IncidentState | None = None, *, about: str = "", first: int = 0, most: int | None = None
    ) -> Sequence[IncidentLine]:
        """Remembered incidents, newest first: of a state, about a course or site (name or key); `most` from `first` on."""
        return incident_lines(self._fold.monitor.state, wanted, about=about, first=first, most=most)

    def pages(self) -> Sequence[PageLine]:
        """The latest pages, newest first; of an earlier run those that the start folded again."""
        return self._pages.newest_first()

    def protocols(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        """(protocol, its bags) as loaded now."""
        known = self._fold.monitor.state.protocols.items()
        return tuple((name, tuple(protocol.bags)) for name, protocol in known if name != SYNTHETIC_PROTOCOL)

    def sheets(self) -> Sheets:
        """Courses and pumps in full, as of now."""
        return Sheets(self._fold.monitor.state, self.now())

    async def command(self, who: str, command: Command, *, by: str = "", once: Once | None = None) -> CommandResult:
        """Journal a person's command, carry it out, and say what became of it."""
        return await self._pipeline.command(command_entry(who, command, self.now(), by=by, once=once))

    async def reply(self, transport: str, address: str, text: str) -> None:
        """Journal a message that a person sent to the gateway."""
        await self._pipeline.append([reply_entry(transport, address, text, self.now())])

    def linked(self, token: str) -> LinkedPage | None:
        """What the private link with this token is about now."""
        wording = self._parts.wording
        return None if wording is None else wording.links.find(token, self._fold.monitor.state, self.now())

    def note_finding(self, about: str, words: str) -> None:
        """Show this among the gateway's findings, in the place of what was said about the same thing before."""
        self._parts.noted[about] = words

    def probe(self) -> int:
        """Have the gateway's own test begin; returns the number of the run. Raises `NoSynthetic`."""
        return self._watchers.prober.ask()

    def probe_report(self) -> ProbeReport | None:
        """The run under way as far as it has come, else the last one."""
        return self._watchers.prober.report()

    async def changed(self, seen: int) -> int:
        """Wait until something changed after version `seen`."""
        while self._version <= seen:
            self._changed.clear()
            await self._changed.wait()
        return self._version

    def health(self) -> Health:
        """How the gateway itself is."""
        return self._vitals.health()

    def figures(self) -> Figures:
        """The gateway's own numbers."""
        return self._vitals.figures()


async def _running(job: Awaitable[None]) -> None:
    await job
