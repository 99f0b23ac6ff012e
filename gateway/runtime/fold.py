"""A record folded into the monitor: the same for live, replay, restart and scenarios."""

import logging

from gateway.core.events import Event, Ticked
from gateway.core.monitor import Monitor
from gateway.domain.effects import Effect
from gateway.domain.instants import Instant
from gateway.runtime.ports import Record
from gateway.runtime.records import Unreadable, event_of

FINDINGS_MAX = 100

_log = logging.getLogger(__name__)


class Fold:
    """The monitor with the record codec in front of it. What cannot be read passes as mere time, and is kept as a finding."""

    def __init__(self, monitor: Monitor | None = None) -> None:
        self.monitor = monitor or Monitor()
        self.findings: list[str] = []

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Fold one record; returns the effects to be done. A bug in the core raises: a story wants to see it."""
        return self.monitor.step(self.read(record), record.received_at)

    def judge(self, event: Event, at: Instant) -> tuple[Effect, ...]:
        """Fold the event of one record that was received at `at`; returns the effects to be done. Never raises.

        A bug in the core costs what this record would have decided, and is a finding. Ending instead would cost the gateway: the
        record is durable, and each start would fold it again.
        """
        try:
            return self.monitor.step(event, at)
        except Exception as bug:  # noqa: BLE001  whatever it is
            _log.exception("record %d could not be judged", event.seq)
            self._note(f"record {event.seq} could not be judged: {type(bug).__name__}: {bug}")
            self.replan()  # the step may have lost some deadlines on its way
            return ()

    def replan(self) -> None:
        """Plan every deadline anew from the state."""
        self.monitor.state.wakes.clear()
        self.monitor = Monitor(self.monitor.state)

    def read(self, record: Record) -> Event:
        """The record's event."""
        try:
            return event_of(record)
        except Unreadable as problem:
            self._note(str(problem))
            return Ticked(record.seq)

    def _note(self, finding: str) -> None:
        self.findings.append(finding)
        del self.findings[:-FINDINGS_MAX]
