"""A record folded into the monitor: the same for live, replay, restart and scenarios."""

from gateway.core.events import Event, Ticked
from gateway.core.monitor import Monitor
from gateway.domain.effects import Effect
from gateway.runtime.ports import Record
from gateway.runtime.records import Unreadable, event_of

FINDINGS_MAX = 100


class Fold:
    """The monitor with the record codec in front of it. What cannot be read passes as mere time, and is kept as a finding."""

    def __init__(self, monitor: Monitor | None = None) -> None:
        self.monitor = monitor or Monitor()
        self.findings: list[str] = []

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Fold one record; returns the effects to be done."""
        return self.monitor.step(self.read(record), record.received_at)

    def read(self, record: Record) -> Event:
        """The record's event."""
        try:
            return event_of(record)
        except Unreadable as problem:
            self.findings.append(str(problem))
            del self.findings[:-FINDINGS_MAX]
            return Ticked(record.seq)
