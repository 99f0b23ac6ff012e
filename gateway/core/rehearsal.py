"""Who would be paged if a pump raised a condition now: played through by a monitor of its own, which is thrown away.

The ward's people, rules and policies are those of this instant; the patient is made up, delivers well, and has neither a silence
nor a window. Nothing is paged and nothing is changed.
"""

from dataclasses import dataclass, replace

from gateway.core.events import Commanded, Event, Heard, Linked, Loaded
from gateway.core.monitor import Monitor
from gateway.core.store import State
from gateway.core.synthetic import PROTOCOL
from gateway.domain.commands import Enrol
from gateway.domain.effects import CommandResult, Effect, Page
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.readings import AlarmChange, Decoded, Observation
from gateway.domain.ward import Contact
from gateway.domain.words import AlarmPhase, AlertPhase, Condition, DeliveryStatus, Priority
from rules.model import Protocol

COURSE = "REHEARSAL"
LONGEST_MIN = 65  # a condition of low priority holds for 60 min before it calls; whoever is not called by then never is
_BEFORE_MS = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would follow. `people` are the first to be paged and by what, `after_ms` the condition began; nobody: board only.

    `refused` says why it cannot be told; then nothing else is.
    """

    refused: str = ""
    protocol: str = ""
    priority: Priority | None = None
    after_ms: int | None = None
    people: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()


def rehearse(state: State, device: str, condition: Condition, at: Instant) -> Rehearsed:
    """Play it through. The protocol is that of the course which the device serves, else the ward's first by name."""
    pump = state.pumps.get(f"{state.ward.site}/{device}")
    course = state.courses.get(pump.course) if pump is not None else None
    names = sorted(name for name in state.protocols if name != PROTOCOL)
    name = course.protocol if course is not None and course.protocol in names else next(iter(names), "")
    if not name:
        return Rehearsed(refused="the ward has no protocol, so that nobody would be paged for anything")
    protocol = state.protocols[name]
    told = Rehearsed(protocol=name, priority=protocol.conditions.get(condition))
    stage = _Stage(state, device, protocol, course.care.caregiver if course is not None else (), at - _BEFORE_MS)
    if stage.refused:
        return Rehearsed(refused=stage.refused)
    stage.delivers(at)
    for minute in range(LONGEST_MIN):
        pages = stage.shows(condition, at + minute * MINUTE_MS, first=minute == 0)
        if pages:
            first_at = pages[0].decided_at
            together = [page for page in pages if page.decided_at == first_at]
            people = tuple(dict.fromkeys((page.person, page.transport) for page in together))
            return replace(told, after_ms=first_at - at, people=people, rules=pages[0].about)
    return told


class _Stage:
    """A monitor with one made-up course on the device. `refused`: why the course could not be made."""

    def __init__(self, state: State, device: str, protocol: Protocol, caregiver: tuple[Contact, ...], at: Instant) -> None:
        self._site, self._device, self._monitor, self._seq = state.ward.site, device, Monitor(), 0
        bag = max(protocol.bags, key=lambda name: protocol.bags[name].duration_ms)  # so that no change of bag is near
        self._rate_ml_h = protocol.bags[bag].rate_ml_h
        ward = replace(state.ward, synthetic=None, watchdog=None)
        for event in (Loaded(1, ward, {protocol.name: protocol}, started=True), Linked(1, "up"), Linked(1, "drained")):
            self._monitor.step(event, at)
        enrol = Enrol(course=COURSE, pump=device, protocol=protocol.name, bag=bag, caregiver=caregiver)
        done = self._step(Commanded(1, COURSE, enrol), at)
        self.refused = "".join(one.message for one in done if isinstance(one, CommandResult) and not one.ok)

    def delivers(self, at: Instant) -> None:
        """It delivers, as it should."""
        for minute in range(_BEFORE_MS // MINUTE_MS):
            self._hear(at - _BEFORE_MS + minute * MINUTE_MS)

    def shows(self, condition: Condition, at: Instant, *, first: bool) -> list[Page]:
        """It still delivers and shows the condition; the pages that announce it, the earliest first."""
        phase = AlarmPhase.START if first else AlarmPhase.CONTINUE
        effects = self._hear(at, AlarmChange(observed_at=at, condition=condition, phase=phase))
        alerts = self._monitor.state.courses[COURSE].alerts.values()
        rules = {alert.rule for alert in alerts if alert.kind == condition and alert.phase is AlertPhase.FIRING}
        pages = [one for one in effects if isinstance(one, Page) and one.course == COURSE and rules.intersection(one.about)]
        return sorted(pages, key=lambda page: page.decided_at)

    def _hear(self, at: Instant, *more: AlarmChange) -> tuple[Effect, ...]:
        runs = Observation(
            observed_at=at,
            delivery_status=DeliveryStatus.DELIVERING,
            rate_ml_h=self._rate_ml_h,
            set_rate_ml_h=self._rate_ml_h,
        )
        return self._step(Heard(self._seq, self._site, self._device, "telemetry", Decoded((runs, *more))), at)

    def _step(self, event: Event, at: Instant) -> tuple[Effect, ...]:
        self._seq += 1
        return self._monitor.step(event, at)
