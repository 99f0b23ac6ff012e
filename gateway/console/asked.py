"""What people ask of the API, as JSON bodies. Unknown keys are refused: who asks stands in a header, never in a body."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gateway.config.durations import parse_duration
from gateway.domain.commands import HangBag
from gateway.domain.instants import SECOND_MS, Instant

Length = Annotated[
    int,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "description": "a length of time like 30m, 12h, 7d", "examples": ["7d"]}),
]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Words = Annotated[str, Field(max_length=1_000)]
NeededWords = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]
Millilitres = Annotated[float, Field(ge=0, le=20_000, allow_inf_nan=False)]


def _sane(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError(f"the year {moment.year} is no ward's; write one from 2000 to 2200")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_sane)]


class Asked(BaseModel):
    """What all bodies share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BagAsked(Asked):
    """A bag hangs. `planned_change` counts from hanging; without it the bag kind's own duration does. `hung_at`: now."""

    bag: Name
    primed_ml: Millilitres = 0.0
    planned_change: Length | None = None
    hung_at: Moment | None = None

    def command(self, course: str) -> HangBag:
        """The command for this course."""
        return HangBag(
            course=course,
            bag=self.bag,
            primed_ml=self.primed_ml,
            planned_change_ms=self.planned_change,
            hung_at=instant(self.hung_at),
        )


class EnrolAsked(BagAsked):
    """A course starts. `course` is a pseudonym, never a name. `protocol` may be left out where the ward has only one.

    Whoever enrols says by it that the checklist is complete, or says `checklist_complete: false` and why all the same.
    """

    course: Name
    pump: Name
    protocol: Name | None = None
    cycle: Annotated[int, Field(ge=1, le=1_000)] = 1
    checklist_complete: bool = True
    override_reason: Words = ""


class EndAsked(Asked):
    """A course is over."""

    reason: Words = ""


class AckAsked(Asked):
    """Somebody has it: for the policy's own time unless `for` says another."""

    for_: Annotated[Length | None, Field(alias="for")] = None


class CloseAsked(Asked):
    """An incident is over, and why."""

    reason: NeededWords


class NoteAsked(Asked):
    """A line for the history."""

    text: NeededWords


class ClearAsked(Asked):
    """A person saw that the pump no longer shows this condition."""

    condition: Name


def instant(moment: datetime | None) -> Instant | None:
    """Milliseconds since 1970 of an aware moment."""
    return None if moment is None else round(moment.timestamp() * SECOND_MS)


class ReplyAsked(Asked):
    """A message that a person sent to the gateway: by which of the ward's transports, from which address, its text."""

    transport: Name
    address: Name
    text: Words
