"""What to do first about an alert: the rule's words, until nobody may start the pump again at home."""

from gateway.core.incident_state import Note
from gateway.core.state import Course, Subject
from gateway.core.store import State
from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.words import Condition, DeliveryState
from rules.model import Protocol

INTERRUPTED_RULE = "delivery-interrupted"

_UNTOUCHED = frozenset({Condition.FREE_FLOW, Condition.OVER_INFUSION})  # their advice is to close the clamp, not to start
_STARTING = frozenset(Condition) - _UNTOUCHED


def is_past_limit(course: Course, protocol: Protocol, at: Instant) -> bool:
    """Whether delivery stands, and has stood for the protocol's limit."""
    delivery = course.delivery
    return delivery.state is DeliveryState.INTERRUPTED and at - delivery.since >= protocol.interruption_limit_ms


def gives_way(note: Note) -> bool:
    """Whether what the rule says to do first gives way to what the protocol says past its limit: it may say to start again."""
    return note.rule == INTERRUPTED_RULE or note.kind in _STARTING


def firsts(note: Note, subject: Subject | None, state: State) -> dict[Locale, str]:
    """What console and command line show, as of the last record: English always, the other languages where there are words."""
    if isinstance(subject, Course) and gives_way(note):
        protocol = state.protocols.get(subject.protocol)
        if protocol is not None and is_past_limit(subject, protocol, state.desk.now_at):
            others = {locale: words.first for locale, words in protocol.limit_words.items() if words.first}
            return {Locale.EN: protocol.past_limit_first, **others}
    return {Locale.EN: note.first, **{locale: told.first for locale, told in note.translated.items()}}
