"""What the API says of a course's past, of what is planned for it, and of protocols. Built as in `gateway.console.shapes`."""

from gateway.console.shapes import CallShape, Shape, SilenceShape, When
from gateway.core.plan import PlanKind


class EndedShape(Shape):
    """A course that has ended."""

    course: str
    pump: str
    cycle: int
    infusion_days: float
    enrolled_at: When
    ended_at: When


class InterruptionShape(Shape):
    """A stretch without delivery that is over. `estimated`: its beginning is dated back; `found`: proved afterwards."""

    since: When
    until: When
    cause: str
    estimated: bool
    found: bool


class StretchShape(Shape):
    """A stretch for which nobody can vouch."""

    since: When
    until: When


class PastBagShape(Shape):
    """A bag that hung until another took its place; `told_by` a person, the pump, or both."""

    kind: str
    hung_at: When
    until_at: When
    primed_ml: float
    told_by: str


class CycleShape(Shape):
    """A cycle that is over: how long it infused, was interrupted, and was not known to do either."""

    number: int
    started_at: When
    ended_at: When
    infused_ms: int
    interrupted_ms: int
    unknown_ms: int


class SignedShape(Shape):
    """An item of the checklist: who signed it, and when."""

    item: str
    by: str
    at: When


class PlanShape(Shape):
    """One thing to come. `forecast`: it follows from the plan; nobody set this time."""

    at: When
    kind: PlanKind
    about: str
    forecast: bool


class CourseHistoryShape(Shape):
    """What is remembered of a course, newest first: at most 50 interruptions, 20 cycles, 50 calls; the export has everything.

    `plan` is what is to come, the soonest first.
    """

    course: str
    enrolled_at: When
    ended_at: When | None
    interruptions: list[InterruptionShape]
    unknowns: list[StretchShape]
    bags: list[PastBagShape]
    cycles: list[CycleShape]
    calls: list[CallShape]
    checklist: list[SignedShape]
    plan: list[PlanShape]


class CourseSilenceShape(SilenceShape):
    """A silence that runs, with its course."""

    course: str


class BagKindShape(Shape):
    """A bag as the pharmacy makes it. mL, mL/h."""

    name: str
    duration_ms: int
    rate_ml_h: float
    fill_ml: float
    prime_ml: float
    shelf_life_ms: int


class ProtocolShape(Shape):
    """A protocol that a course may be enrolled under; `checklist` has the items that are signed before."""

    name: str
    infusion_days: int
    break_days: int
    interruption_limit_ms: int
    bags: list[BagKindShape]
    rules: list[str]
    checklist: list[str]
