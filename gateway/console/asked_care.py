"""What people ask of the API about a treatment that runs: orders, doses, pumps, cycles, windows, silences, calls, contacts."""

from typing import Annotated

from pydantic import Field, model_validator

from gateway.console.asked import (
    Asked,
    BagAsked,
    Contacts,
    Length,
    McgPerDay,
    Minutes,
    Moment,
    Name,
    NeededWords,
    Words,
    instant,
    to_ms,
)
from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    Seen,
    SilenceRules,
    StartBreak,
    SwapPump,
    WindowKind,
)

RULES_MAX = 100

For = Annotated[Length | None, Field(alias="for")]


class OrderAsked(Asked):
    """The pharmacy makes a bag of this kind, ready then."""

    bag: Name
    ready_at: Moment

    def command(self, course: str) -> OrderBag:
        """The command for this course."""
        return OrderBag(course=course, bag=self.bag, ready_at=to_ms(self.ready_at))


class DoseAsked(Asked):
    """Another dose step from now on; `override_reason` says why before its day."""

    mcg_per_day: McgPerDay
    override_reason: Words = ""

    def command(self, course: str) -> ChangeDose:
        """The command for this course."""
        return ChangeDose(course=course, mcg_per_day=self.mcg_per_day, override_reason=self.override_reason)


class PumpAsked(Asked):
    """Another pump serves the course from now on."""

    pump: Name
    reason: Words = ""

    def command(self, course: str) -> SwapPump:
        """The command for this course."""
        return SwapPump(course=course, pump=self.pump, reason=self.reason)


class BreakAsked(Asked):
    """The cycle's infusion days are over; `reason` says why where they are not complete."""

    reason: Words = ""

    def command(self, course: str) -> StartBreak:
        """The command for this course."""
        return StartBreak(course=course, reason=self.reason)


class CycleAsked(BagAsked):
    """The break is over: this bag hangs, on `pump` (the one before where none is named). `override_reason`: why already."""

    pump: Annotated[str, Field(max_length=64)] = ""
    override_reason: Words = ""

    def next_cycle(self, course: str) -> NextCycle:
        """The command for this course."""
        return NextCycle(
            course=course,
            bag=self.bag,
            pump=self.pump,
            primed_ml=self.primed_ml,
            planned_change_ms=self.planned_change,
            hung_at=instant(self.hung_at),
            prepared_at=instant(self.prepared_at),
            rate_ml_h=self.rate_ml_h,
            override_reason=self.override_reason,
        )


class ContactsAsked(Asked):
    """Whom to reach. What is absent stays as it is; `"caregiver": []` takes the contacts away."""

    caregiver: Contacts | None = None
    ward_contact: Annotated[str | None, Field(max_length=200)] = None
    travel_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "ContactsAsked":
        if self.caregiver is None and self.ward_contact is None and self.travel_minutes is None:
            raise ValueError("changes nothing; give caregiver, ward_contact or travel_minutes")
        return self

    def command(self, course: str) -> ChangeContacts:
        """The command for this course."""
        return ChangeContacts(
            course=course,
            caregiver=None if self.caregiver is None else tuple(each.contact() for each in self.caregiver),
            ward_contact=self.ward_contact,
            travel_minutes=self.travel_minutes,
        )


class WindowAsked(Asked):
    """A planned window from now on, `for` so long or `until` then: one of the two."""

    kind: WindowKind
    for_: For = None
    until: Moment | None = None

    def command(self, course: str) -> OpenWindow:
        """The command for this course."""
        return OpenWindow(course=course, kind=self.kind, for_ms=self.for_, until_at=instant(self.until))


class SilenceAsked(Asked):
    """Rules of a course are muted from now on (all where `rules` is empty), `for` so long or `until` then: one of the two."""

    course: Name
    reason: NeededWords
    rules: Annotated[tuple[Name, ...], Field(max_length=RULES_MAX)] = ()
    for_: For = None
    until: Moment | None = None

    def command(self) -> SilenceRules:
        """The command."""
        return SilenceRules(
            course=self.course,
            reason=self.reason,
            rules=self.rules,
            for_ms=self.for_,
            until_at=instant(self.until),
        )


class CallAsked(Asked):
    """A call to the home: who was spoken to, what that person saw at the pump, what was said.

    A pump seen running is trusted `for` so long, at most 4 h.
    """

    called: NeededWords
    seen: Seen = Seen.NOTHING
    advice: Words = ""
    for_: For = None

    def command(self, course: str) -> LogCall:
        """The command for this course."""
        return LogCall(course=course, called=self.called, advice=self.advice, seen=self.seen, for_ms=self.for_)
