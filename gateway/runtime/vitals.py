"""How the gateway itself is: ready or not, what is not well, and its numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.core import stopping
from gateway.core.events import Event
from gateway.core.outbox import Outbox
from gateway.domain.effects import Effect, Point
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.runtime.figures import Counted, Figures, standing_of
from gateway.runtime.forwarder import Forwarder
from gateway.runtime.parts import Parts
from gateway.runtime.pipeline import Pipeline
from gateway.runtime.points import point_to_json
from gateway.runtime.ports import EffectKind, JournalFull, OutboxRow, Record
from gateway.runtime.recovery import Recovered
from gateway.runtime.service import Health
from gateway.runtime.standings import Standings
from gateway.runtime.watchers import Watchers

POINT_EVERY_MS = MINUTE_MS
CURSOR = "vitals"  # its moves carry the gateway's own points into the outbox, under keys that begin with it


@dataclass(frozen=True, slots=True)
class Organs:
    """What is looked at."""

    recovered: Recovered
    pipeline: Pipeline
    outbox: Outbox
    forwarder: Forwarder | None
    watchers: Watchers


class Vitals:
    """Made by the gateway around its own parts. `config_findings`: what was wrong with files that were not taken in."""

    def __init__(self, parts: Parts, organs: Organs, config_findings: Callable[[], Sequence[str]]) -> None:
        self._parts, self._fold, self._damaged = parts, organs.recovered.fold, organs.recovered.damaged
        self._pipeline, self._outbox, self._forwarder = organs.pipeline, organs.outbox, organs.forwarder
        self._watchers, self._config_findings = organs.watchers, config_findings
        self._counted, self._standings = Counted(), Standings()
        self._started_at = parts.clock.now()

    def note_judged(self, record: Record, event: Event) -> None:
        """A record was judged."""
        self._counted.note_judged(record, event)

    def note_effects(self, effects: Sequence[Effect]) -> None:
        """Effects were decided and are durable."""
        self._counted.note_effects(effects)
        self._standings.note_effects(effects)

    def health(self) -> Health:
        """Whether it hears, stores, judges and can page; and all that people should know."""
        findings = [said for said in (self._parts.finding(), self._pipeline.full, self._watchers.trouble) if said]
        desk = self._fold.monitor.state.desk
        if not desk.connected and not findings:
            findings.append("no session with the broker yet")
        ready = not findings
        findings += [f"record {damaged.seq} is damaged: {damaged.detail}" for damaged in self._damaged[:10]]
        findings += [*self._config_findings(), *self._fold.findings[-10:]]
        findings += [*self._watchers.findings(), *self._parts.noted.values(), *stopping.said(desk.stopped)]
        numbers = {
            "judged_seq": float(self._pipeline.judged_seq),
            "lag_records": float(self._pipeline.lag),
            "pages_in_hand": float(len(self._outbox)),
            "snapshot_seq": float(self._pipeline.snapshot_seq),
        }
        if self._forwarder is not None:
            store = self._forwarder.health()
            numbers |= {"store_lag_records": store.lag_records, "store_poisoned": store.poisoned}
            findings += [f"time-series store: {store.last_error}"] if store.last_error else []
        return Health(ready, tuple(findings), tuple(numbers.items()))

    def figures(self) -> Figures:
        """The gateway's own numbers now."""
        now, health, state = self._parts.clock.now(), self.health(), self._fold.monitor.state
        store = None if self._forwarder is None else self._forwarder.health()
        return Figures(
            at=now,
            started_at=self._started_at,
            ready=health.ready,
            connected=state.desk.connected,
            findings=len(health.findings),
            lag_records=self._pipeline.lag,
            judged_seq=self._pipeline.judged_seq,
            waiting=len(self._outbox),
            oldest_waiting_ms=max((now - sending.item.decided_at for sending in self._outbox.items()), default=0),
            store=None if store is None else (store.lag_records, store.lines_written, store.poisoned),
            watchdog_ms=now - state.desk.watchdog_at if state.ward.watchdog is not None else None,
            standing=standing_of(state, now),
            counted=self._counted,
        )

    async def run(self) -> None:
        """Write the numbers to the time-series store once a minute, and now and then how the ward stands, until cancelled."""
        clock, counted, said = self._parts.clock, self._counted, self._standings
        while self._forwarder is not None:
            await clock.sleep_until(clock.now() + POINT_EVERY_MS)
            state, now = self._fold.monitor.state, clock.now()
            site = state.ward.site
            try:
                await self._write([self.figures().point(site), *said.transports(site, counted.attempts, now)], now, 0)
                slice_ = 0
                async for points in said.points(state, now):
                    slice_ += 1
                    await self._write(points, now, slice_)
            except JournalFull:
                continue  # said by the pipeline; the next minute has a point again
            self._forwarder.wake()

    async def _write(self, points: Sequence[Point], at: Instant, slice_: int) -> None:
        rows = [
            OutboxRow(f"{CURSOR}@{at}/{slice_}.{number}", EffectKind.POINT, point.at, point_to_json(point))
            for number, point in enumerate(points)
        ]
        await self._parts.journal.commit(CURSOR, self._pipeline.judged_seq, rows)
