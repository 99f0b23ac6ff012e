"""The domain's own words as people read them: states, causes, rules, conditions, priorities, outcomes.

Each function takes the reader's `Words`; a name that comes from a ward's own rules and is in no catalogue stays as it is.
"""

from collections.abc import Sequence

from gateway.console.words import Words, message
from gateway.core.board import AlertLine, IncidentLine
from gateway.domain.words import DeliveryState, IncidentState, Outcome, Priority

STATES = {
    DeliveryState.DELIVERING: message("Delivering"),
    DeliveryState.INTERRUPTED: message("Interrupted"),
    DeliveryState.UNKNOWN: message("Unknown"),
    DeliveryState.NOT_EXPECTED: message("Not expected"),
}
PRIORITIES = {
    Priority.HIGH: message("high"),
    Priority.MEDIUM: message("medium"),
    Priority.LOW: message("low"),
    Priority.INFORMATION: message("information"),
}
OUTCOMES = {
    None: message("under way"),
    Outcome.ACCEPTED: message("accepted"),
    Outcome.DELIVERED: message("delivered"),
    Outcome.REJECTED: message("rejected"),
    Outcome.TEMPORARY: message("failed for now"),
    Outcome.UNKNOWN: message("nobody knows"),
    Outcome.NO_RECEIPT: message("no receipt"),
    Outcome.WITHDRAWN: message("withdrawn"),
}
FAILED = frozenset({Outcome.REJECTED, Outcome.TEMPORARY, Outcome.UNKNOWN, Outcome.NO_RECEIPT})
CAUSES = {
    "silence": message("pump not heard"),
    "scale": message("pump not heard, but the bag gets lighter as it should"),
    "scale stands": message("pump not heard, and the bag gets no lighter"),
    "unsaid": message("the pump does not say whether it delivers"),
    "user": message("stopped by hand"),
    "clinician": message("stopped by a clinician"),
    "kvo": message("keep-vein-open only"),
    "stopped": message("no reason given"),
    "starting up": message("starting up"),
    "in hospital": message("in hospital"),
    "course ended": message("course ended"),
    "break": message("break"),
    "no bag": message("no bag"),
    "unspecified": message("no reason given"),
}


def state_words(state: DeliveryState, say: Words) -> str:
    """`Interrupted`."""
    return say(STATES[state])


def cause_words(cause: str, say: Words) -> str:
    """Why delivery is not going on."""
    return say(CAUSES.get(cause, cause.replace("-", " ")))


def priority_words(priority: Priority, say: Words) -> str:
    """`high`."""
    return say(PRIORITIES[priority])


def outcome_words(outcome: Outcome | None, say: Words) -> str:
    """What became of a page, in a word or two."""
    return say(OUTCOMES[outcome])


def rule_words(rule: str, say: Words) -> str:
    """`Alarm persistent`."""
    return say(rule.replace("-", " ").capitalize())


def kind_words(kind: str, say: Words) -> str:
    """A pump condition, a cause or a detail: `air in line`."""
    return say(kind.replace("-", " "))


def alert_words(alert: AlertLine, say: Words) -> str:
    """`Alarm persistent: air in line`."""
    words = rule_words(alert.rule, say)
    return f"{words}: {kind_words(alert.kind, say)}" if alert.kind else words


def holder_words(incident: IncidentLine, say: Words) -> str:
    """Whether somebody has it: `nurse-a has it`, `Nobody has it`."""
    if incident.state is IncidentState.ACKNOWLEDGED and incident.holder:
        return say("{who} has it", who=incident.holder)
    return say("Over") if incident.state is IncidentState.RESOLVED else say("Nobody has it")


def people_words(people: Sequence[str], say: Words) -> str:
    """`nurse-a, charge-nurse`, or `nobody yet`."""
    return ", ".join(people) or say("nobody yet")
