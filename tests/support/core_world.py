"""A monitor with one ward and one course, told in words: for tests of the pure core."""

import json
from collections.abc import Iterable

from device_adapters.registry import decode
from gateway.core.events import Commanded, Heard, Linked, Loaded
from gateway.core.monitor import Monitor
from gateway.core.state import Course
from gateway.domain.commands import Command, Enrol
from gateway.domain.effects import CommandResult, Effect, Page
from gateway.domain.instants import MINUTE_MS, Instant
from gateway.domain.readings import Decoded
from gateway.domain.ward import Contact, Person, Policy, Step, TransportFacts, Ward
from rules.loader import load_protocol, shipped_text

START_AT = 1_772_409_600_000  # 2026-03-02T00:00:00Z
COURSE, PUMP, SITE = "P-017", "p1", "ward"
PROTOCOL = load_protocol(shipped_text("blinatumomab_home") or "", "blinatumomab_home")

_STEPS = (Step(("person:nurse",), 5 * MINUTE_MS),)
_POLICIES = {
    name: Policy(name, _STEPS, repeat_from=0, repeat_every_ms=10 * MINUTE_MS, ack_lease_ms=30 * MINUTE_MS, milestone_targets=())
    for name in ("high", "medium")
}


class World:
    """One gateway's core. Times are minutes after the start; `pages` are all that were decided so far."""

    def __init__(self, *, enrol: bool = True) -> None:
        ward = Ward(
            site=SITE,
            timezone="UTC",
            people={"nurse": Person("nurse", (Contact("sms", "1"),))},
            policies=_POLICIES,
            fallback=("person:nurse",),
            transports={"sms": TransportFacts("sms", "kannel", two_way=True)},
        )
        self.monitor = Monitor()
        self.pages: list[tuple[Instant, Page]] = []
        self._seq = 0
        self._step(Loaded(self._next(), ward, {PROTOCOL.name: PROTOCOL}, started=True), START_AT)
        self._step(Linked(self._next(), "up"), START_AT)
        self._step(Linked(self._next(), "drained"), START_AT)
        if enrol:
            self.does(0, Enrol(course=COURSE, pump=PUMP, protocol=PROTOCOL.name, bag="7-day"))

    @property
    def course(self) -> Course:
        """The course as it is now."""
        return self.monitor.state.courses[COURSE]

    def does(self, minute: float, command: Command, who: str = "nurse") -> CommandResult:
        """A person records something."""
        effects = self._step(Commanded(self._next(), who, command), self.at(minute))
        return next(effect for effect in effects if isinstance(effect, CommandResult))

    def hears(
        self, minute: float, channel: str = "telemetry", *, pump: str = PUMP, seen: float | None = None, **body: object
    ) -> None:
        """A pump's message arrives, observed at minute `seen` (the same minute when None)."""
        payload = json.dumps({"observed_at": self.at(minute if seen is None else seen), **body}).encode()
        decoded: Decoded = decode(channel, payload)
        assert not decoded.refused, decoded.refused
        self._step(Heard(self._next(), SITE, pump, channel, decoded), self.at(minute))

    def runs(self, minutes: Iterable[int], *, infused: float | None = None, **body: object) -> None:
        """The pump reports that it delivers at each of these minutes; with `infused` (at minute 0) its counter goes along."""
        for minute in minutes:
            counter = {} if infused is None else {"infused_ml": round(infused + minute / 100, 4)}
            self.hears(minute, delivery_status="delivering", rate_ml_h=0.6, set_rate_ml_h=0.6, **counter, **body)

    def waits(self, minute: float) -> None:
        """Time passes."""
        for effect in self.monitor.advance(self.at(minute)):
            self._note(effect)

    def at(self, minute: float) -> Instant:
        """The instant of a minute."""
        return START_AT + round(minute * MINUTE_MS)

    def paged(self) -> list[tuple[float, str]]:
        """(minute, why) of each page."""
        return [((at - START_AT) / MINUTE_MS, page.why.value) for at, page in self.pages]

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _step(self, event: object, at: Instant) -> tuple[Effect, ...]:
        effects = self.monitor.step(event, at)
        for effect in effects:
            self._note(effect)
        return effects

    def _note(self, effect: Effect) -> None:
        if isinstance(effect, Page):
            self.pages.append((effect.decided_at, effect))
