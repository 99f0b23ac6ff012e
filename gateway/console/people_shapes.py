"""What the API says of people, schedules and policies, as JSON. As in `shapes.py`: instants in UTC, lengths in milliseconds."""

from gateway.console.shapes import Shape, When
from gateway.domain.words import Outcome, Priority


class WayShape(Shape):
    """A contact of a person, in the order of trying. `muted`: no pages by it (STOP). `outcome`: what its transport said last."""

    transport: str
    address: str
    after_ms: int
    muted: bool
    outcome: Outcome | None
    said_at: When | None
    reason: str


class TriedShape(Shape):
    """A contact of a test page. `waits`: more may come. `works`: delivered, or accepted where no receipt is promised."""

    transport: str
    address: str
    outcome: Outcome | None
    said_at: When | None
    reason: str
    waits: bool
    works: bool


class PageTestShape(Shape):
    """The newest test page of a person: asked for at `at` by `who` in record `seq`; it `waits` while a contact does."""

    seq: int
    at: When
    who: str
    waits: bool
    tried: list[TriedShape]


class PersonShape(Shape):
    """Somebody who can be paged. Addresses are masked but for administrators; `on_call` are the schedules that have them now."""

    id: str
    language: str
    teams: list[str]
    on_call: list[str]
    ways: list[WayShape]
    test: PageTestShape | None
    next_test_at: When | None


class DutyShape(Shape):
    """The same people on call for a stretch, `until_at` exclusive; nobody: a gap."""

    from_at: When
    until_at: When
    people: list[str]


class OverrideShape(Shape):
    """An exact stretch that somebody takes over."""

    from_at: When
    until_at: When
    person: str


class RotaShape(Shape):
    """A schedule from now on. `duties` leave nothing out; `gaps` are those of them that have nobody."""

    name: str
    timezone: str
    now: list[str]
    next: list[str]
    next_at: When | None
    gaps: list[DutyShape]
    duties: list[DutyShape]
    overrides: list[OverrideShape]


class StepShape(Shape):
    """Whom a step pages (`person:x`, `schedule:x`, `all:team`, `caregiver`), and how long it waits for an acknowledgement."""

    targets: list[str]
    wait_ms: int


class PolicyShape(Shape):
    """An escalation policy; without steps it is board-only. `repeat_from`: the step, counted from 1, at which it starts again."""

    name: str
    steps: list[StepShape]
    repeat_from: int | None
    repeat_every_ms: int
    ack_lease_ms: int
    milestone_targets: list[str]


class RuleShape(Shape):
    """Which policies a rule's alerts go to. `priorities` are those that it can have; none: that of whatever it finds."""

    rule: str
    priorities: list[Priority]
    policies: list[str]
    routed: bool


class PoliciesShape(Shape):
    """All policies, who stands behind a step that finds nobody (`fallback`), and which rule goes where."""

    policies: list[PolicyShape]
    fallback: list[str]
    rules: list[RuleShape]
