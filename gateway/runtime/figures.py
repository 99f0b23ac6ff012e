"""The gateway's own numbers: counted since its start, or as they are now. For `/metrics`, the time-series store and dashboards.

Nobody's course and no device is named in them: their number has a limit that does not grow with the ward.
"""

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core.delivery import judgement_of
from gateway.core.events import Event, Heard, Sent
from gateway.core.incidents import priority_of
from gateway.core.intake import is_silent
from gateway.core.store import State
from gateway.core.synthetic import SYNTHETIC
from gateway.domain.effects import Effect, Page, Point
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.words import Outcome
from gateway.runtime.ports import Record

BOUNDS_S = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)  # of a page's way to its provider; longer ones are in the last
PAGES_FOLLOWED_MAX = 20_000  # pages whose end is awaited; full: the oldest is no longer counted


@dataclass(slots=True)
class Latencies:
    """How long pages took from the decision to a provider that took them. `counts` by `BOUNDS_S`, the last for longer ones."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """One page."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds


@dataclass(slots=True)
class Counted:
    """Counts since the start. `attempts` by (transport, outcome), `refused` by reason, `records` by kind."""

    records: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    latencies: dict[str, Latencies] = field(default_factory=dict)
    _pages: OrderedDict[str, tuple[str, Instant]] = field(default_factory=OrderedDict)
    _taken: set[str] = field(default_factory=set)

    def note_effects(self, effects: Iterable[Effect]) -> None:
        """Pages were decided; the gateway's own test is counted too: its way is everybody's."""
        for effect in effects:
            if isinstance(effect, Page):
                self._pages[effect.key] = effect.transport, effect.decided_at
                if len(self._pages) > PAGES_FOLLOWED_MAX:
                    self._taken.discard(self._pages.popitem(last=False)[0])

    def note_judged(self, record: Record, event: Event) -> None:
        """A record was judged."""
        self.records[record.kind.value] += 1
        if isinstance(event, Heard):
            self.refused.update(refused.reason.value for refused in event.decoded.refused)
        elif isinstance(event, Sent) and event.key in self._pages:
            transport, decided_at = self._pages[event.key]
            self.attempts[transport, event.outcome.value] += 1
            if event.outcome in (Outcome.ACCEPTED, Outcome.DELIVERED) and event.key not in self._taken:
                self._taken.add(event.key)
                seconds = max(0, record.received_at - decided_at) / SECOND_MS
                self.latencies.setdefault(transport, Latencies()).add(seconds)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand: `courses` by delivery, open `incidents` by (priority, state)."""

    pumps: int
    pumps_silent: int
    courses: Mapping[str, int]
    incidents: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything at one instant. `store` is (lag in records, lines written, lines refused), None without a store."""

    at: Instant
    started_at: Instant
    ready: bool
    connected: bool
    findings: int
    lag_records: int
    judged_seq: int
    waiting: int
    oldest_waiting_ms: int
    store: tuple[int, int, int] | None
    standing: Standing
    counted: Counted
    watchdog_ms: int | None = None  # since the watchdog on another host was heard; None without one

    def point(self, site: str) -> Point:
        """The same for the time-series store, in the order of its schema; without a store there is nobody to write it for."""
        lag, written, poisoned = self.store or (0, 0, 0)
        accepted = sum(count for (_, outcome), count in self.counted.attempts.items() if outcome == Outcome.ACCEPTED)
        failed = sum(
            count for (_, outcome), count in self.counted.attempts.items() if outcome in (Outcome.REJECTED, Outcome.TEMPORARY)
        )
        fields: dict[str, float | int | str] = {
            "records": self.counted.records.total(),
            "lag_records": self.lag_records,
            "store_lag_records": lag,
            "lines_written": written,
            "poisoned": poisoned,
            "refused": self.counted.refused.total(),
            "pumps": self.standing.pumps,
            "pumps_silent": self.standing.pumps_silent,
            "incidents_open": sum(self.standing.incidents.values()),
            "pages_waiting": self.waiting,
            "pages_accepted": accepted,
            "pages_failed": failed,
            "ready": int(self.ready),
            "connected": int(self.connected),
            "findings": self.findings,
        }
        if self.watchdog_ms is not None:
            fields["watchdog_s"] = self.watchdog_ms / SECOND_MS
        return Point("gateway", (("site", site),), tuple(fields.items()), self.at)


def standing_of(state: State, at: Instant) -> Standing:
    """How the ward stands at `at`; the gateway's own test is left out."""
    courses = [course for course in state.courses.values() if course.id != SYNTHETIC]
    running = [course for course in courses if course.ended_at is None]
    pumps = [pump for pump in state.pumps.values() if pump.course != SYNTHETIC]
    protocols = {pump.device: state.protocols.get(course.protocol) for course in running for pump in (state.pump_of(course),)}
    open_ = [one for subject in (*courses, *state.sites.values()) for one in subject.open.values()]
    return Standing(
        pumps=len(pumps),
        pumps_silent=sum(is_silent(pump, protocols.get(pump.device), at) for pump in pumps),
        courses=Counter(judgement_of(course).state.value for course in running),
        incidents=Counter((priority_of(one).value, one.state.value) for one in open_),
    )
