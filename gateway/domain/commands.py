"""What people tell the gateway to note: every one becomes a journal record with who said it."""

from dataclasses import dataclass

from gateway.domain.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """A course starts: this patient's pseudonym, this pump, this bag, hung at `hung_at` (the record's own time when None).

    `checklist_complete` False is refused unless `override_reason` says why. Volumes in mL, `planned_change_ms` from hanging.
    """

    course: str
    pump: str
    protocol: str
    bag: str
    primed_ml: float = 0.0
    planned_change_ms: int | None = None
    cycle: int = 1
    hung_at: Instant | None = None
    checklist_complete: bool = True
    override_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangBag:
    """A new bag hangs on this course."""

    course: str
    bag: str
    primed_ml: float = 0.0
    planned_change_ms: int | None = None
    hung_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCourse:
    """The course is over: its pump watches nobody from now on."""

    course: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Somebody has the incident for `for_ms` (the policy's lease when None). `incident`: a key, or a course's or site's name."""

    incident: str
    for_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """The next step now."""

    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The incident is over although an alert may still fire; never a firing high one."""

    incident: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line for the incident's history."""

    incident: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCondition:
    """A person saw that the pump no longer shows this condition (its `end` never came)."""

    pump: str
    condition: str


Command = Enrol | HangBag | EndCourse | Acknowledge | Escalate | Close | Note | ClearCondition
