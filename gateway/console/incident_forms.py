"""What the forms of an incident's page ask for, as the same commands that API and command line send."""

from collections.abc import Callable, Mapping

from gateway.console.fields import NAME_MAX, Fields
from gateway.console.words import message
from gateway.core.incident_sheet import IncidentSheet
from gateway.domain.care import LogCall, Seen, SilenceRules
from gateway.domain.commands import Acknowledge, Close, Command, Escalate, HandOver, Note
from gateway.domain.instants import HOUR_MS, MINUTE_MS

ACK, ESCALATE, HAND_OVER, NOTE, CALL, SILENCE, CLOSE = "ack", "escalate", "hand-over", "note", "call", "silence", "close"

LEASES_MS = (15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS)
SILENCES_MS = (30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS)
EVERYTHING = "*"  # the choice that silences all rules of a course

REASON, LENGTH, TO, TEXT = message("Reason"), message("For how long"), message("To whom"), message("Note")
CALLED, SAID = message("Spoken to"), message("What was said and advised")

Form = Callable[[IncidentSheet, Fields], Command]


def _acknowledge(sheet: IncidentSheet, fields: Fields) -> Command:
    return Acknowledge(incident=sheet.line.key, for_ms=fields.length_ms("for", LENGTH))


def _escalate(sheet: IncidentSheet, _: Fields) -> Command:
    return Escalate(incident=sheet.line.key)


def _hand_over(sheet: IncidentSheet, fields: Fields) -> Command:
    return HandOver(incident=sheet.line.key, to=fields.needed("to", TO))


def _note(sheet: IncidentSheet, fields: Fields) -> Command:
    return Note(incident=sheet.line.key, text=fields.needed("text", TEXT, 1_000))


def _call(sheet: IncidentSheet, fields: Fields) -> Command:
    seen = fields.text("seen", message("Seen at the pump"), NAME_MAX)
    return LogCall(
        course=sheet.line.subject,
        called=fields.needed("called", CALLED),
        seen=Seen(seen) if seen in tuple(Seen) else Seen.NOTHING,
        advice=fields.text("words", SAID),
    )


def _silence(sheet: IncidentSheet, fields: Fields) -> Command:
    rule = fields.needed("rule", message("What is silenced"))
    return SilenceRules(
        course=sheet.line.subject,
        reason=fields.needed("reason", REASON, 1_000),
        rules=() if rule == EVERYTHING else (rule,),
        for_ms=fields.length_ms("for", LENGTH),
    )


def _close(sheet: IncidentSheet, fields: Fields) -> Command:
    return Close(incident=sheet.line.key, reason=fields.needed("reason", REASON, 1_000))


FORMS: Mapping[str, Form] = {
    ACK: _acknowledge,
    ESCALATE: _escalate,
    HAND_OVER: _hand_over,
    NOTE: _note,
    CALL: _call,
    SILENCE: _silence,
    CLOSE: _close,
}
OF_COURSES = frozenset({CALL, SILENCE})  # the ward's own incidents have neither a home to call nor rules to silence
