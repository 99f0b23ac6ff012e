"""What people ask of the API, as JSON bodies. Unknown keys are refused: who asks stands in a header, never in a body."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from gateway.config.durations import parse_duration
from gateway.domain.care import Signed
from gateway.domain.commands import Enrol, HangBag
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.ward import Contact

Length = Annotated[
    int,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "description": "a length of time like 30m, 12h, 7d", "examples": ["7d"]}),
]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Words = Annotated[str, Field(max_length=1_000)]
NeededWords = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]
# JSON's own numbers only: neither true nor "9" is a volume.
Millilitres = Annotated[float, Field(strict=True, ge=0, le=20_000, allow_inf_nan=False, description="mL")]
MillilitresPerHour = Annotated[float, Field(strict=True, gt=0, le=2_000, allow_inf_nan=False, description="mL/h")]
McgPerDay = Annotated[float, Field(strict=True, gt=0, le=100_000, allow_inf_nan=False, description="mcg a day")]
Minutes = Annotated[int, Field(strict=True, ge=0, le=100_000, description="minutes")]

CONTACTS_MAX = 20  # of one body; how many a caregiver may have is the gateway's to say, in words
SIGNED_MAX = 100


def _sane(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError(f"the year {moment.year} is no ward's; write one from 2000 to 2200")
    return moment


Moment = Annotated[
    AwareDatetime, AfterValidator(_sane), Field(description="an instant with its offset, like 2026-03-02T08:00+08:00")
]


class Asked(BaseModel):
    """What all bodies share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactAsked(BaseModel):
    """A way to reach somebody, as in the ward file: `{"sms": "85290000009", "after": "2m"}`; the key is a transport's name."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Annotated[str, Field(strict=True, min_length=1, max_length=200)]] = Field(init=False)
    after: Length = 0

    @model_validator(mode="after")
    def _has_one_way(self) -> "ContactAsked":
        if len(self.model_extra or {}) != 1:
            raise ValueError('names one transport and its address, like {"sms": "85290000009", "after": "2m"}')
        return self

    def contact(self) -> Contact:
        """The same as the gateway knows it."""
        ((transport, address),) = (self.model_extra or {}).items()
        return Contact(transport, address, self.after)


Contacts = Annotated[
    tuple[ContactAsked, ...],
    Field(max_length=CONTACTS_MAX, description='ways in the order of trying, like [{"sms": "85290000009", "after": "2m"}]'),
]


class SignedAsked(Asked):
    """An item of the checklist: who signed it, and when."""

    item: Name
    by: Name
    at: Moment


class BagAsked(Asked):
    """A bag hangs. `planned_change` counts from hanging; without it the bag kind's own duration does. `hung_at`: now.

    `prepared_at` and `rate_ml_h` as the label says: an expired bag and one at another rate are refused.
    """

    bag: Name
    primed_ml: Millilitres = 0.0
    planned_change: Length | None = None
    hung_at: Moment | None = None
    prepared_at: Moment | None = None
    rate_ml_h: MillilitresPerHour | None = None

    def command(self, course: str) -> HangBag:
        """The command for this course."""
        return HangBag(
            course=course,
            bag=self.bag,
            primed_ml=self.primed_ml,
            planned_change_ms=self.planned_change,
            hung_at=instant(self.hung_at),
            prepared_at=instant(self.prepared_at),
            rate_ml_h=self.rate_ml_h,
        )


class EnrolAsked(BagAsked):
    """A course starts. `course` is a pseudonym, never a name. `protocol` may be left out where the ward has only one.

    Whoever enrols says by it that the checklist is complete, or names in `checklist` what was signed. An incomplete one, or
    `checklist_complete: false`, needs an `override_reason`. Without `dose_mcg_per_day` the protocol's first dose counts.
    """

    course: Name
    pump: Name
    protocol: Name | None = None
    cycle: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1
    dose_mcg_per_day: McgPerDay | None = None
    caregiver: Contacts = ()
    ward_contact: Annotated[str, Field(max_length=200)] = ""
    travel_minutes: Minutes | None = None
    checklist: Annotated[
        tuple[SignedAsked, ...],
        Field(
            max_length=SIGNED_MAX, description='who signed what when, like [{"item": "…", "by": "…", "at": "2026-03-01T10:00Z"}]'
        ),
    ] = ()
    checklist_complete: bool = True
    override_reason: Words = ""

    def enrolment(self, protocol: str) -> Enrol:
        """The command, under this protocol."""
        return Enrol(
            course=self.course,
            pump=self.pump,
            protocol=protocol,
            bag=self.bag,
            primed_ml=self.primed_ml,
            planned_change_ms=self.planned_change,
            cycle=self.cycle,
            hung_at=instant(self.hung_at),
            prepared_at=instant(self.prepared_at),
            rate_ml_h=self.rate_ml_h,
            dose_mcg_per_day=self.dose_mcg_per_day,
            caregiver=tuple(each.contact() for each in self.caregiver),
            ward_contact=self.ward_contact,
            travel_minutes=self.travel_minutes,
            checklist=tuple(Signed(item=each.item, by=each.by, at=to_ms(each.at)) for each in self.checklist),
            checklist_complete=self.checklist_complete,
            override_reason=self.override_reason,
        )


class EndAsked(Asked):
    """A course is over."""

    reason: Words = ""


class AckAsked(Asked):
    """Somebody has it: for the policy's own time unless `for` says another."""

    for_: Annotated[Length | None, Field(alias="for")] = None


class HandOverAsked(Asked):
    """Somebody else of the ward is to have it."""

    to: Name


class CloseAsked(Asked):
    """An incident is over, and why."""

    reason: NeededWords


class NoteAsked(Asked):
    """A line for the history."""

    text: NeededWords


class ClearAsked(Asked):
    """A person saw that the pump no longer shows this condition."""

    condition: Name


class ReplyAsked(Asked):
    """A message that a person sent to the gateway: by which of the ward's transports, from which address, its text."""

    transport: Name
    address: Name
    text: Words


def instant(moment: datetime | None) -> Instant | None:
    """Milliseconds since 1970 of an aware moment; None of none."""
    return None if moment is None else to_ms(moment)


def to_ms(moment: datetime) -> Instant:
    """Milliseconds since 1970 of an aware moment."""
    return round(moment.timestamp() * SECOND_MS)
