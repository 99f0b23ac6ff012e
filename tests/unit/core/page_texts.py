"""Pages written straight from a state, for tests of their words."""

from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.incident_state import Happening, Incident, Note, Told
from gateway.core.state import Bag, Course, Delivery
from gateway.core.texts import compose
from gateway.domain.locale import TRANSLATED, Locale
from gateway.domain.ward import Ward
from gateway.domain.words import Condition, DeliveryState, Priority, WhyPaged
from rules.loader import load_protocol, shipped_text
from tests.unit.core.world import minutes

PROTOCOL = load_protocol(shipped_text("blinatumomab_home"), "x")
RULES = {rule.name: rule for rule in PROTOCOL.rules}
CAUSES = [*Condition, "user", "clinician", "alarm", "kvo", "powered-off", "between-doses", "unspecified", "stopped"]
IDS = ["P-017", "P-2026-000017-LONG-PSEUDONYM-OK"]
LONGEST = "P" * 32


def note(rule: str, *, kind: str = "", detail: str = "", since: float = 0, priority: Priority = Priority.HIGH) -> Note:
    """An alert as its incident carries it."""
    ours, names = RULES[rule], (kind, detail)
    note = Note(rule, kind, kind or rule, priority, minutes(since), detail, ours.say, ours.first_for(*names))
    note.translated = {locale: Told(*words) for locale in TRANSLATED if (words := ours.translated(locale, *names)) is not None}
    return note


def course(name: str, state: DeliveryState, since: float = 0, *, estimated: bool = False) -> Course:
    """A course in this state since so many minutes."""
    delivery = Delivery(state=state, since=minutes(since), evidence_at=minutes(since), estimated=estimated)
    bag = Bag("7-day", minutes(0), 0.6, 110, 0, minutes(10_000))
    return Course(name, protocol=PROTOCOL.name, pump="p1", bag=bag, delivery=delivery)


def said_in(
    subject, notes: list[Note], why: WhyPaged, at: float, code: str = "471147", locale: Locale = Locale.EN, protocol=PROTOCOL
) -> str:
    """The whole text of a page."""
    incident = Incident("k@1", subject.id, "", minutes(0), Priority.HIGH, {}, round=2)
    if why is WhyPaged.RESOLVED:
        incident.last_alerts = notes
    else:
        incident.alerts = {f"{n.rule}:{n.kind}": n for n in notes}
    incident.history.append(Happening(minutes(at), "resolved"))
    ward = Ward("haem-ward", "Asia/Hong_Kong")
    return compose(subject, incident, why, code, Context(ward, {PROTOCOL.name: protocol}, {}, Desk(), minutes(at), 1), locale)


def essential(text: str) -> str:
    """What must arrive with the first message."""
    return text.split("\n", maxsplit=1)[0]
