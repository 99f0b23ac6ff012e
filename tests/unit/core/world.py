"""A ward, its monitor and its clock, for tests of the core: events in, effects out, every instant in minutes."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gateway.config.load import load_ward_mapping
from gateway.config.merge import merge_patch
from gateway.core.events import Commanded, Event, Heard, Linked, Loaded, Replied, Sent, Ticked
from gateway.core.incident_state import Incident
from gateway.core.monitor import Monitor
from gateway.core.state import Course, Pump
from gateway.domain.commands import Command, Enrol
from gateway.domain.effects import Answer, CommandResult, Effect, Page
from gateway.domain.readings import AlarmChange, Decoded, Observation, PumpEvent, Reading, Refusal, Refused
from gateway.domain.ward import Ward
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, NotDeliveringReason, Outcome, PumpEventKind
from rules.loader import load_protocol, shipped_text
from rules.model import Protocol
from rules.yaml_lines import load

START = 1_772_409_600_000  # 2026-03-02 08:00 in Hong Kong
MINUTE_MS = 60_000

_RAW = load((Path(__file__).parents[2] / "ward.example.yaml").read_text(encoding="utf-8"), "ward").value


def example_ward() -> dict[str, Any]:
    """The example ward file as a mapping."""
    return dict(_RAW)


@cache
def _loaded(raw: str, rules: str) -> tuple[Ward, Protocol]:
    """A ward and its protocol, from JSON; both are values, so each is read once."""
    protocol = load_protocol(shipped_text("blinatumomab_home"), "x", json.loads(rules))
    return load_ward_mapping(json.loads(raw), "ward").ward, protocol


def minutes(count: float) -> int:
    """The instant so many minutes after the start."""
    return START + round(count * MINUTE_MS)


class World:
    """One monitor with the example ward. `pages`, `answers` and `results` collect what it decided."""

    def __init__(
        self, patch: Mapping[str, Any] | None = None, rules: Mapping[str, Mapping[str, Any]] | None = None, *, linked: bool = True
    ) -> None:
        self.raw, self.rules = merge_patch(_RAW, patch or {}), rules or {}
        self.monitor = Monitor()
        self.seq = 0
        self.effects: list[Effect] = []
        self.load(0, started=True)
        if linked:
            self.link(0, "up")
            self.link(0, "drained")

    # ---- in ----------------------------------------------------------------------------------------------------------

    def step(self, at: float, make: type[Event], *args: Any, **keys: Any) -> list[Effect]:
        """One record's event at so many minutes; returns what it brought."""
        self.seq += 1
        effects = list(self.monitor.step(make(self.seq, *args, **keys), minutes(at)))
        self.effects += effects
        return effects

    def load(self, at: float, patch: Mapping[str, Any] | None = None, *, started: bool = False) -> list[Effect]:
        """The ward file as it is from now on."""
        self.raw = merge_patch(self.raw, patch or {})
        ward, protocol = _loaded(json.dumps(self.raw), json.dumps(self.rules))
        return self.step(at, Loaded, ward, {protocol.name: protocol}, started=started)

    def link(self, at: float, session: str) -> list[Effect]:
        """The broker session is `lost`, `up` or `drained`."""
        return self.step(at, Linked, session)

    def tick(self, at: float) -> list[Effect]:
        """Time passes: every deadline up to `at`, each in a record of its own as the pipeline writes them."""
        brought: list[Effect] = []
        while (due_at := self.monitor.next_deadline()) is not None and due_at <= minutes(at):
            brought += self.step((due_at - START) / MINUTE_MS, Ticked)
        return brought + self.step(at, Ticked)

    def do(self, at: float, command: Command, who: str = "nurse-a") -> CommandResult:
        """A person's command; returns what became of it."""
        return next(e for e in self.step(at, Commanded, who, command) if isinstance(e, CommandResult))

    def enrol(self, at: float = 0, course: str = "P-017", pump: str = "p1", **keys: Any) -> CommandResult:
        """A course starts."""
        return self.do(at, Enrol(course=course, pump=pump, protocol="blinatumomab_home", **{"bag": "7-day", **keys}))

    def reply(self, at: float, text: str, address: str = "85290000001") -> Answer | None:
        """A text message to the gateway; returns its answer."""
        return next((e for e in self.step(at, Replied, "sms", address, text) if isinstance(e, Answer)), None)

    def sent(self, at: float, page: Page, outcome: Outcome) -> list[Effect]:
        """What became of an attempt."""
        return self.step(at, Sent, page.key, outcome)

    def hear(self, at: float, *readings: Reading, pump: str = "p1", refused: int = 0) -> list[Effect]:
        """One message of a pump."""
        refusals = tuple(Refused(Refusal.NOT_JSON) for _ in range(refused))
        return self.step(at, Heard, "haem-ward", pump, "telemetry", Decoded(readings, refusals))

    def report(
        self, at: float, status: DeliveryStatus | None = DeliveryStatus.DELIVERING, *, pump: str = "p1", **keys: Any
    ) -> list[Effect]:
        """A telemetry message, observed now unless `observed` (in minutes) says otherwise."""
        return self.hear(at, observation(keys.pop("observed", at), status, **keys), pump=pump)

    def runs(self, from_: float, until: float, pump: str = "p1") -> list[Effect]:
        """A report a minute: delivering."""
        brought: list[Effect] = []
        for minute in range(round(from_), round(until) + 1):
            brought += self.report(minute, pump=pump)
        return brought

    # ---- out ---------------------------------------------------------------------------------------------------------

    @property
    def pages(self) -> list[Page]:
        """All pages so far."""
        return pages(self.effects)

    def course(self, name: str = "P-017") -> Course:
        """A course's cell."""
        return self.monitor.state.courses[name]

    def pump(self, name: str = "p1") -> Pump:
        """A pump's cell."""
        return self.monitor.state.pumps[f"haem-ward/{name}"]

    def incident(self, name: str = "P-017") -> Incident:
        """The open incident of a course or the site on its default route."""
        incident = self.incident_or_none(name)
        assert incident is not None, f"{name} has no open incident"
        return incident

    def incident_or_none(self, name: str = "P-017") -> Incident | None:
        """The same, where there may be none."""
        subject = self.monitor.state.peek(name)
        return subject.open.get("") if subject is not None else None


def pages(effects: Iterable[Effect]) -> list[Page]:
    """The pages among effects."""
    return [effect for effect in effects if isinstance(effect, Page)]


def paged(effects: Iterable[Effect]) -> list[tuple[str, str, str]]:
    """(person, transport, why) of each page, in order."""
    return [(page.person, page.transport, page.why.value) for page in pages(effects)]


def observation(at: float, status: DeliveryStatus | None = DeliveryStatus.DELIVERING, **keys: Any) -> Observation:
    """A telemetry reading observed at so many minutes."""
    return Observation(observed_at=minutes(at), delivery_status=status, **keys)


def stopped(at: float, reason: NotDeliveringReason | None = NotDeliveringReason.USER, **keys: Any) -> Observation:
    """A telemetry reading: not delivering."""
    return observation(at, DeliveryStatus.NOT_DELIVERING, not_delivering_reason=reason, **keys)


def alarm(
    at: float, condition: Condition = Condition.SYSTEM_FAULT, phase: AlarmPhase = AlarmPhase.START, **keys: Any
) -> AlarmChange:
    """An alarm condition's change."""
    return AlarmChange(observed_at=minutes(at), condition=condition, phase=phase, **keys)


def event(at: float, kind: PumpEventKind, **keys: Any) -> PumpEvent:
    """A pump event."""
    return PumpEvent(observed_at=minutes(at), event=kind, **keys)


def in_trouble(patch=None, *, pump: str = "p1", course: str = "P-017", world: World | None = None, at: float = 0) -> World:
    """A course whose pump shows a system fault; the first page goes out two minutes after `at`. Delivery goes on."""
    world = world or World(patch)
    world.enrol(at, course, pump)
    world.report(at, pump=pump)
    world.hear(at, alarm(at, stops_delivery=False), pump=pump)
    return world


def lives(world: World, until: float, pump: str = "p1") -> list:
    """Time passes; the pump reports every four minutes that it delivers."""
    brought, at = [], (world.monitor.state.desk.now_at - minutes(0)) / 60_000
    while at < until:
        at = min(at + 4, until)
        brought += world.tick(at)
        brought += world.report(at, pump=pump)
    return brought
