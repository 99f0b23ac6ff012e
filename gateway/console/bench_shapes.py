"""What the API hears and says about a pump on a technician's bench. Lengths in ms, volumes in mL, rates in mL/h."""

from typing import Annotated

from pydantic import Field

from gateway.console.asked import Asked, Length
from gateway.console.shapes import Shape, When
from gateway.core.pump_sheet import PumpSheet
from gateway.core.rehearsal import Rehearsed
from gateway.domain.bench import Commissioned, StartBench, Verdict
from gateway.domain.words import Condition, Priority


class BenchAsked(Asked):
    """The pump is on the bench `for` so long, at most 4 h."""

    for_: Annotated[Length, Field(alias="for")]

    def command(self, pump: str) -> StartBench:
        """The command for this pump."""
        return StartBench(pump=pump, for_ms=self.for_)


class CommissionedAsked(Asked):
    """What a commissioning came to; `digest` is the SHA-256 of the signed document, in hexadecimal digits."""

    verdict: Verdict
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def command(self, pump: str) -> Commissioned:
        """The command for this pump."""
        return Commissioned(pump=pump, digest=self.digest, verdict=self.verdict)


class ConditionShape(Shape):
    """An alarm condition as the gateway has it; `priority` is the protocol's, null where the pump serves nobody."""

    condition: Condition
    active: bool
    started_at: When
    changed_at: When
    priority: Priority | None


class CommissioningShape(Shape):
    """A commissioning: when it was recorded, by whom, what it came to, which document tells of it."""

    at: When
    who: str
    verdict: Verdict
    digest: str


class PumpInFullShape(Shape):
    """A device in full, as a technician wants it. `messages` are (refused, all) parts of the last five minutes.

    On the bench of `bench_who` until `bench_until`: nobody is called for what it shows.
    """

    device: str
    course: str
    heard_at: When | None
    observed_at: When | None
    silent: bool
    boot: str
    missing: int
    restarts: int
    clock_offset_ms: int
    clock_doubtful: bool
    delivering: bool | None
    on_battery: bool | None
    set_rate_ml_h: float | None
    infused_ml: float | None
    messages: tuple[int, int]
    conditions: list[ConditionShape]
    bench_until: When | None
    bench_who: str
    commissioned: list[CommissioningShape]


class WhoPagedShape(Shape):
    """Somebody who would be paged, and by which transport first."""

    person: str
    transport: str


class RehearsedShape(Shape):
    """Who would be paged first, `after_ms` the condition began; nobody where it would only show on the board.

    As if the pump served a course under `protocol` that has neither a silence nor a window. Nobody was paged.
    """

    protocol: str
    priority: Priority | None
    after_ms: int | None
    people: list[WhoPagedShape]
    rules: list[str]


def pump_in_full(sheet: PumpSheet) -> PumpInFullShape:
    """The shape of a pump's sheet."""
    line, told = sheet.line, sheet.measures
    return PumpInFullShape(
        device=line.device,
        course=line.course,
        heard_at=line.heard_at,
        observed_at=sheet.observed_at,
        silent=sheet.silent,
        boot=line.boot,
        missing=line.missing,
        restarts=line.restarts,
        clock_offset_ms=line.clock_offset_ms,
        clock_doubtful=line.clock_doubtful,
        delivering=told.delivering,
        on_battery=told.on_battery,
        set_rate_ml_h=told.set_rate_ml_h,
        infused_ml=told.infused_ml,
        messages=sheet.messages,
        conditions=[ConditionShape.model_validate(each) for each in sheet.conditions],
        bench_until=line.bench_until,
        bench_who=line.bench_who,
        commissioned=[CommissioningShape.model_validate(each) for each in sheet.commissioned],
    )


def rehearsed(told: Rehearsed) -> RehearsedShape:
    """The shape of a rehearsal."""
    return RehearsedShape(
        protocol=told.protocol,
        priority=told.priority,
        after_ms=told.after_ms,
        people=[WhoPagedShape(person=person, transport=transport) for person, transport in told.people],
        rules=list(told.rules),
    )
