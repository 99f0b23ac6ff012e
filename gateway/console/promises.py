"""What each button of an incident's page would do now, and to whom: the core is asked, nothing is guessed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.console import incident_forms as forms
from gateway.console.sentences import Clock, in_words
from gateway.console.words import Words, message
from gateway.core.foresight import Coming, Foreseen
from gateway.core.incident_sheet import IncidentSheet
from gateway.core.sheets import Sheets
from gateway.domain.care import LogCall, Seen, SilenceRules
from gateway.domain.commands import Acknowledge, Close, Command, Escalate, HandOver, Note
from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.words import DeliveryState, IncidentState, WhyPaged

WHY: Mapping[WhyPaged, str] = {
    WhyPaged.OPENED: message("because the incident opened"),
    WhyPaged.RAISED: message("because its priority rose"),
    WhyPaged.UNACKNOWLEDGED: message("because nobody had taken it"),
    WhyPaged.MILESTONE: message("because a limit comes closer"),
    WhyPaged.NEW_ALERT: message("because something new fires"),
    WhyPaged.LEASE_ENDED: message("because the time of the acknowledgement ended"),
    WhyPaged.SILENCE_ENDED: message("because the silence or the planned window ended"),
    WhyPaged.ESCALATED: message("because somebody passed it on"),
    WhyPaged.STAFFING_GAP: message("because a step of the policy finds nobody"),
    WhyPaged.UNREACHABLE: message("because somebody wants no more pages"),
    WhyPaged.RESOLVED: message("because it is over"),
    WhyPaged.TEST: message("to see whether it arrives"),
}


@dataclass(frozen=True, slots=True)
class Lease:
    """How long somebody may have it: `value` as the form sends it, `usual` where the policy says so."""

    value: str
    until: Instant
    length_ms: int
    usual: bool


@dataclass(frozen=True, slots=True)
class Promises:
    """By form: what would happen, in sentences. `refused` holds the gateway's reason where it would say no.

    `nothing` is what comes if nobody does anything; `leases` are the choices for an acknowledgement.
    """

    nothing: tuple[str, ...]
    said: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    leases: tuple[Lease, ...]


def promises_for(sheet: IncidentSheet, sheets: Sheets, who: str, say: Words, clock: Clock) -> Promises:
    """All that the page of this incident may promise to `who`. Nothing for one that is over."""
    if sheet.line.state is IncidentState.RESOLVED:
        return Promises((), {}, {}, ())
    writer = _Writer(say, clock, sheet)
    said: dict[str, tuple[str, ...]] = {}
    refused: dict[str, str] = {}
    for form, command in _examples(sheet, who):
        foreseen = sheets.foresee(sheet.line.key, who, command)
        if foreseen is None or not foreseen.ok:
            refused[form] = in_words(foreseen.said or "", say, clock) if foreseen is not None else ""
        else:
            said[form] = tuple(writer.of(form, foreseen))
    untouched = sheets.foresee(sheet.line.key, who, None)
    nothing = tuple(writer.later(untouched.coming)) if untouched is not None else ()
    return Promises(nothing, said, refused, tuple(_leases(sheet, sheets.at)))


def _examples(sheet: IncidentSheet, who: str) -> Iterator[tuple[str, Command]]:
    """Each form's command as it stands when nothing else is chosen."""
    key, course = sheet.line.key, sheet.line.subject
    colleague = next((name for name in sheet.colleagues if name not in (who, sheet.line.holder)), "")
    yield forms.ACK, Acknowledge(incident=key)
    yield forms.ESCALATE, Escalate(incident=key)
    yield forms.HAND_OVER, HandOver(incident=key, to=colleague)
    yield forms.NOTE, Note(incident=key, text="…")
    yield forms.CLOSE, Close(incident=key, reason="…")
    if sheet.course is not None:
        rules = tuple(dict.fromkeys(alert.rule for alert in sheet.line.alerts))[:1]
        yield forms.SILENCE, SilenceRules(course=course, reason="…", rules=rules, for_ms=HOUR_MS)
        yield forms.CALL, LogCall(course=course, called="…", seen=Seen.RUNNING)


def _leases(sheet: IncidentSheet, at: Instant) -> Iterator[Lease]:
    for length_ms in sorted({*forms.LEASES_MS, sheet.lease_ms}):
        usual = length_ms == sheet.lease_ms
        yield Lease("" if usual else f"{length_ms // 1_000}s", at + length_ms, length_ms, usual)


@dataclass(frozen=True, slots=True)
class _Writer:
    say: Words
    clock: Clock
    sheet: IncidentSheet

    def of(self, form: str, foreseen: Foreseen) -> Iterator[str]:
        """What the button of this form would do."""
        say, coming = self.say, foreseen.coming
        match form:
            case forms.ACK:
                yield say("Nobody is paged until then, unless something new or worse, or a limit, comes.")
                yield from self._after_lease(coming)
            case forms.ESCALATE:
                yield self._at_once(foreseen)
                yield from self.later(coming)
            case forms.HAND_OVER:
                yield say("The colleague is paged now, and has it once she or he takes it.")
                yield from self.later(coming)
            case forms.CLOSE:
                yield say("It is over, although something may still fire. Nobody is paged for it any more.")
                yield say("Told that it is over: {people}.", people=", ".join(foreseen.told) or say("nobody"))
            case forms.SILENCE:
                yield say("What is silenced stays on the board and pages nobody; limits that come closer page all the same.")
                yield from self._after_silence(coming)
            case forms.CALL:
                yield from self._call(foreseen)
            case _:
                yield say("It stands in the history under your name, and pages nobody.")

    def _at_once(self, foreseen: Foreseen) -> str:
        if foreseen.paged:
            return self.say("Pages now: {people}.", people=self._people(foreseen.paged))
        return self.say("Everybody was paged lately: nobody is paged at once.")

    def _call(self, foreseen: Foreseen) -> Iterator[str]:
        """What was seen at the pump is a witness: it may take the silence, and it may prove an interruption."""
        yield self.say("The call stands in the history under your name, and by itself pages nobody.")
        if foreseen.held_until is not None and foreseen.held_until != self.sheet.line.held_until:
            at = self.clock(foreseen.held_until)
            yield self.say("If the silent pump was seen running, its silence is yours until {at}.", at=at)
        if self.sheet.course is not None and self.sheet.course.state is not DeliveryState.INTERRUPTED:
            yield self.say("If the pump was seen standing, that is an interruption, and people are paged for it.")

    def _after_silence(self, coming: Coming | None) -> Iterator[str]:
        if coming is not None and coming.why is not WhyPaged.SILENCE_ENDED:  # something else of the incident fires aloud
            yield from self.later(coming)
        elif coming is not None:
            yield self.say("When it ends and it still fires, {people} is paged.", people=self._people(coming.people))

    def later(self, coming: Coming | None) -> Iterator[str]:
        """Who is paged next when nobody does anything more."""
        if coming is None:
            yield self.say("Nobody is paged after that, unless something new or worse, or a limit, comes.")
        else:
            yield self.say(
                "If nobody takes it, {people} is paged at {at}, {why}.",
                people=self._people(coming.people),
                at=self.clock(coming.at),
                why=self.say(WHY[coming.why]),
            )

    def _after_lease(self, coming: Coming | None) -> Iterator[str]:
        if coming is None:
            return
        people = self._people(coming.people)
        if coming.why is WhyPaged.LEASE_ENDED:
            yield self.say(
                "If anything still fires when it ends, {people} is asked; 5 min later the policy starts again.", people=people
            )
        else:
            yield self.say("If anything still fires when it ends, {people} is paged.", people=people)

    def _people(self, people: tuple[tuple[str, str], ...]) -> str:
        return ", ".join(f"{person} ({transport})" for person, transport in people)
