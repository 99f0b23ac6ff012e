"""What people tell the gateway to note: every one becomes a journal record with who said it."""

from dataclasses import dataclass

from gateway.domain.bench import BenchCommand
from gateway.domain.care import CareCommand, Signed
from gateway.domain.instants import Instant
from gateway.domain.ward import Contact


@dataclass(frozen=True, slots=True)
class Once:
    """What lets a command come twice and happen once: the sender's key, and a digest of the whole request."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """A course starts: this patient's pseudonym, this pump, this bag, hung at `hung_at` (the record's own time when None).

    Volumes in mL, rate in mL/h (the protocol's own when None), `planned_change_ms` from hanging, `prepared_at` from the bag's
    label. `dose_mcg_per_day` is the protocol's for this cycle when None. `checklist` are the items that were signed; where none
    are given the word of `checklist_complete` counts. An incomplete one is refused unless `override_reason` says why.
    """

    course: str
    pump: str
    protocol: str
    bag: str
    primed_ml: float = 0.0
    planned_change_ms: int | None = None
    cycle: int = 1
    hung_at: Instant | None = None
    prepared_at: Instant | None = None
    rate_ml_h: float | None = None
    dose_mcg_per_day: float | None = None
    caregiver: tuple[Contact, ...] = ()
    ward_contact: str = ""
    travel_minutes: int | None = None
    checklist: tuple[Signed, ...] = ()
    checklist_complete: bool = True
    override_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangBag:
    """A new bag hangs on this course; `prepared_at` and `rate_ml_h` as its label says, where somebody read it."""

    course: str
    bag: str
    primed_ml: float = 0.0
    planned_change_ms: int | None = None
    hung_at: Instant | None = None
    prepared_at: Instant | None = None
    rate_ml_h: float | None = None


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
class HandOver:
    """A colleague of the ward, by name, is to have the incident: she is paged, and has it once she takes it."""

    incident: str
    to: str


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
class SendTestPage:
    """Page a person of the ward by every contact, to see which of them works. About no incident; at most once a minute."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCondition:
    """A person saw that the pump no longer shows this condition (its `end` never came)."""

    pump: str
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDiary:
    """The home's diary for a course: at least one of temperature (°C), handwriting (changed or not), symptom, note.

    `from_whom` is patient, caregiver or nurse. `observed_at` is when it was observed (the record's own time when None), at most
    48 h back.
    """

    course: str
    temperature_c: float | None = None
    handwriting_changed: bool | None = None
    symptom: str = ""
    note: str = ""
    from_whom: str = "patient"
    observed_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChanged:
    """Who may use the console was changed: `what` was done (`add-user`), `about` whom, `detail` in words.

    Pumps and pages do not care. Never a password, never a token.
    """

    what: str
    about: str
    detail: str = ""


OnCourse = Enrol | HangBag | EndCourse | ClearCondition | AddDiary
Command = OnCourse | Acknowledge | Escalate | HandOver | Close | Note | SendTestPage | AccessChanged | CareCommand | BenchCommand
