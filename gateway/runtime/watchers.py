"""What watches the gateway from inside: the auditor, the heartbeat for the watchdog outside, and the gateway's own test."""

from collections.abc import Awaitable, Callable, Sequence

from gateway.core.events import Event
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.commands import Command
from gateway.domain.effects import CommandResult, Effect
from gateway.runtime import heartbeat
from gateway.runtime.auditor import Auditor
from gateway.runtime.dispatcher import Dispatcher
from gateway.runtime.emergency import Emergency
from gateway.runtime.fold import Fold
from gateway.runtime.parts import Parts
from gateway.runtime.pipeline import Pipeline
from gateway.runtime.ports import Record
from gateway.runtime.prober import Prober
from gateway.runtime.records import clock_entry


class Watchers:
    """Made by the gateway around its own parts."""

    def __init__(
        self,
        parts: Parts,
        *,
        fold: Fold,
        pipeline: Pipeline,
        dispatcher: Dispatcher,
        emergency: Emergency,
        command: Callable[[str, Command], Awaitable[CommandResult]],
    ) -> None:
        self._source, self._clock, self._fold = parts.source, parts.clock, fold
        self._audits = parts.audits
        self._auditor = Auditor(
            journal=parts.journal,
            clock=parts.clock,
            fold=fold,
            dispatcher=dispatcher,
            progress=lambda: (pipeline.judged_seq, pipeline.lag),
            tick=lambda: pipeline.append([clock_entry(parts.clock.now())]),
            on_hung=pipeline.note_hung,
            on_standstill=emergency.note_standstill,
            alive=parts.alive,
        )
        self.prober = Prober(
            clock=parts.clock,
            state=lambda: fold.monitor.state,
            command=command,
            say=emergency.say,
            publish=parts.publish,
            ping=parts.ping,
        )
        pipeline.on_stored = self.prober.note_stored
        dispatcher.on_handing_over = self.prober.note_handing_over

    def jobs(self, ready: Callable[[], bool]) -> list[Awaitable[None]]:
        """What runs beside the gateway's other jobs; `ready` is what the heartbeat says."""
        site = lambda: self._fold.monitor.state.ward.site  # noqa: E731  one word of the ward that may be reloaded
        jobs: list[Awaitable[None]] = [heartbeat.beat_on(self._source, self._clock, site, ready), self.prober.run()]
        if self._audits:
            jobs.append(self._auditor.run())
        return jobs

    def is_test(self, site: str, device: str) -> bool:
        """Whether this device is the synthetic pump: what it says is in no time series."""
        pump = self._fold.monitor.state.pumps.get(f"{site}/{device}")
        return pump is not None and pump.course == SYNTHETIC

    def note_judged(self, record: Record, event: Event) -> None:
        """A record was judged."""
        if self.prober.watches:
            self.prober.note_judged(record, event)

    def note_effects(self, effects: Sequence[Effect]) -> None:
        """Effects were decided and are durable."""
        if self.prober.watches:
            self.prober.note_effects(effects)

    @property
    def trouble(self) -> str | None:
        """Why the gateway is not ready, as far as its watchers know."""
        return self._auditor.trouble

    def findings(self) -> list[str]:
        """What else people should know."""
        return [*self._auditor.findings(), *([self.prober.finding] if self.prober.finding else [])]
