"""What the forms of a course's page ask for, as the same commands that API and command line send."""

from collections.abc import Callable, Iterator, Mapping

from gateway.console.fields import NAME_MAX, Fields
from gateway.console.words import message
from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
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
from gateway.domain.commands import AddDiary, Command, EndCourse, HangBag
from gateway.domain.ward import Contact

CONTACT_ROWS = 5
VOLUME_MAX_ML = 20_000
RATE_MAX_ML_H = 2_000
DOSE_MAX_MCG = 100_000
TEMPERATURE_MAX_C = 120  # a figure in Fahrenheit is read, and refused by the diary with its own words
MINUTES_MAX = 100_000
ADDRESS_MAX = 200

REASON, LENGTH, UNTIL = message("Reason"), message("For how long"), message("Until")
BAG, PRIMED, HUNG = message("Bag"), message("Primed volume (mL)"), message("Hung at")
PREPARED, RATE = message("Prepared at"), message("Rate on the label (mL/h)")
CHANGE = message("Planned change after")
PUMP, WARD_CONTACT = message("Pump"), message("The home calls")
TRAVEL = message("Minutes to the hospital")


def call(course: str, fields: Fields) -> Command:
    """A call to the home: three taps, or words of one's own."""
    words = [fields.text("advice", message("What was advised")), fields.text("words", message("In your own words"))]
    return LogCall(
        course=course,
        called=fields.needed("called", message("Spoken to")),
        seen=Seen(fields.one_of("seen", message("Seen at the pump"), tuple(Seen))),
        advice=". ".join(" ".join(text.split()) for text in words if text),
        for_ms=fields.length_ms("for", LENGTH),
    )


def hang_bag(course: str, fields: Fields) -> Command:
    """A new bag hangs."""
    return HangBag(
        course=course,
        bag=fields.needed("bag", BAG),
        primed_ml=fields.number("primed_ml", PRIMED, VOLUME_MAX_ML) or 0.0,
        planned_change_ms=fields.length_ms("planned_change", CHANGE),
        hung_at=fields.moment("hung_at", HUNG),
        prepared_at=fields.moment("prepared_at", PREPARED),
        rate_ml_h=fields.number("rate_ml_h", RATE, RATE_MAX_ML_H),
    )


def order_bag(course: str, fields: Fields) -> Command:
    """The pharmacy makes a bag."""
    ready_at = fields.moment("ready_at", message("Ready at"))
    if ready_at is None:
        fields.needed("ready_at", message("Ready at"))
    return OrderBag(course=course, bag=fields.needed("bag", BAG), ready_at=ready_at or 0)


def open_window(course: str, fields: Fields) -> Command:
    """A planned window begins."""
    kind = fields.one_of("kind", message("Kind of window"), tuple(WindowKind))
    for_ms, until_at = _end(fields)
    return OpenWindow(course=course, kind=WindowKind(kind), for_ms=for_ms, until_at=until_at)


def close_window(course: str, _: Fields) -> Command:
    """The window is over."""
    return CloseWindow(course=course)


def diary(course: str, fields: Fields) -> Command:
    """An entry on behalf of the home."""
    written = fields.text("handwriting", message("Handwriting"))
    return AddDiary(
        course=course,
        temperature_c=fields.number("temperature_c", message("Temperature (°C)"), TEMPERATURE_MAX_C),
        handwriting_changed=None if not written else written == "changed",
        symptom=fields.text("symptom", message("Symptom")),
        note=fields.text("note", message("Note")),
        from_whom=fields.text("from_whom", message("Told by")) or "nurse",
        observed_at=fields.moment("observed_at", message("Observed at")),
    )


def silence(course: str, fields: Fields) -> Command:
    """One rule, or all, is muted."""
    rule = fields.text("rule", message("Rule"), NAME_MAX)
    for_ms, until_at = _end(fields)
    reason = fields.text("reason", REASON)
    return SilenceRules(course=course, reason=reason, rules=(rule,) if rule else (), for_ms=for_ms, until_at=until_at)


def end_silence(_: str, fields: Fields) -> Command:
    """The silence ends now."""
    return EndSilence(silence=fields.needed("silence", message("Silence")))


def dose(course: str, fields: Fields) -> Command:
    """Another dose step."""
    mcg_per_day = fields.number("mcg_per_day", message("Dose (mcg a day)"), DOSE_MAX_MCG)
    if mcg_per_day is None:
        fields.needed("mcg_per_day", message("Dose (mcg a day)"))
    return ChangeDose(course=course, mcg_per_day=mcg_per_day or 0.0, override_reason=fields.text("reason", REASON))


def swap_pump(course: str, fields: Fields) -> Command:
    """Another pump takes over."""
    return SwapPump(course=course, pump=fields.needed("pump", PUMP), reason=fields.text("reason", REASON))


def start_break(course: str, fields: Fields) -> Command:
    """The cycle's infusion days are over."""
    return StartBreak(course=course, reason=fields.text("reason", REASON))


def next_cycle(course: str, fields: Fields) -> Command:
    """The break is over."""
    return NextCycle(
        course=course,
        bag=fields.needed("bag", BAG),
        pump=fields.text("pump", PUMP, NAME_MAX),
        primed_ml=fields.number("primed_ml", PRIMED, VOLUME_MAX_ML) or 0.0,
        planned_change_ms=fields.length_ms("planned_change", CHANGE),
        hung_at=fields.moment("hung_at", HUNG),
        prepared_at=fields.moment("prepared_at", PREPARED),
        rate_ml_h=fields.number("rate_ml_h", RATE, RATE_MAX_ML_H),
        override_reason=fields.text("reason", REASON),
    )


def change_contacts(course: str, fields: Fields) -> Command:
    """Whom to reach: the form holds all of it, so what was taken out of it is taken away."""
    return ChangeContacts(
        course=course,
        caregiver=tuple(contacts(fields)),
        ward_contact=fields.text("ward_contact", WARD_CONTACT, ADDRESS_MAX),
        travel_minutes=fields.whole("travel_minutes", TRAVEL, MINUTES_MAX),
    )


def end(course: str, fields: Fields) -> Command:
    """The course is over."""
    return EndCourse(course=course, reason=fields.text("reason", REASON))


def contacts(fields: Fields) -> Iterator[Contact]:
    """The rows of contacts in which an address stands."""
    for row in range(CONTACT_ROWS):
        address = fields.text(f"address{row}", message("Address or number"), ADDRESS_MAX)
        if address:
            after_ms = fields.length_ms(f"after{row}", message("Tried after")) or 0
            yield Contact(fields.needed(f"transport{row}", message("By")), address, after_ms)


def _end(fields: Fields) -> tuple[int | None, int | None]:
    """(how long, until when) as the form has it; an exact end counts before the length that stands beside it."""
    until_at = fields.moment("until", UNTIL)
    return (None, until_at) if until_at is not None else (fields.length_ms("for", LENGTH), None)


FORMS: Mapping[str, Callable[[str, Fields], Command]] = {
    "call": call,
    "bag": hang_bag,
    "order": order_bag,
    "window": open_window,
    "close-window": close_window,
    "diary": diary,
    "silence": silence,
    "end-silence": end_silence,
    "dose": dose,
    "pump": swap_pump,
    "break": start_break,
    "cycle": next_cycle,
    "contacts": change_contacts,
    "end": end,
}
