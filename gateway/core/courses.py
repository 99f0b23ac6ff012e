"""Judging a subject: a course's delivery and rules, or the site's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core import delivery, twin
from gateway.core.context import Context
from gateway.core.intake import is_silent, promise_ms
from gateway.core.judgements import delivery_point
from gateway.core.state import Course, Desk, Pump, PumpCondition, Site
from gateway.core.store import State
from gateway.domain.instants import Instant
from gateway.domain.view import ActiveCondition, Facet, Judgement
from gateway.domain.words import AlertPhase, Condition, DeliveryState, Priority
from rules.engine import Alert, Change, ChangeKind, judge
from rules.engine import next_due as next_alert_due
from rules.model import Protocol, Rule

_NOWHERE = Judgement(DeliveryState.NOT_EXPECTED, 0, 0)


@dataclass(slots=True)
class View:
    """What predicates see (`gateway.domain.view.CourseView`)."""

    at: Instant
    judgement: Judgement = _NOWHERE
    conditions: list[ActiveCondition] = field(default_factory=list)
    enrolled_at: Instant = 0
    heard: bool = True
    messages: tuple[int, int] = (0, 0)
    unassigned: str = ""
    deaf_since: Instant | None = None
    inhibitions: frozenset[str] = frozenset()


def judge_subject(state: State, subject: Course | Site, woken: int, now: Context) -> list[Change]:
    """Judge a subject's delivery and rules at `now.at`; returns what changed among its alerts."""
    if isinstance(subject, Site):
        return _judge_site(state, subject, woken, now)
    protocol = state.protocols.get(subject.protocol)
    if protocol is None:
        return []
    pump = state.pump_of(subject)
    if delivery.judge(subject, pump, protocol, now.at, silent=is_silent(pump, protocol, now.at)):
        now.effects.append(delivery_point(subject, now))
        woken |= Facet.DELIVERY
    if pump.judged_from:
        if now.at < pump.judged_from:
            return []
        pump.judged_from, woken = 0, Facet.ALL
    if now.at == state.desk.deaf_until:
        woken |= Facet.INHIBITION
    changes = _drop_orphans(subject.alerts, state.rules[subject.protocol]) if woken == Facet.ALL else []
    view = _view(subject, pump, protocol, now)
    return changes + judge(state.rules[subject.protocol].values(), subject.alerts, view, woken=woken)


def next_due(state: State, subject: Course | Site) -> Instant | None:
    """When time alone changes this subject's judgement or alerts; incidents have their own deadlines."""
    instants = []
    due_at = next_alert_due(subject.alerts)
    if isinstance(subject, Course):
        if subject.protocol not in state.protocols:
            return None  # nothing is judged without rules: a deadline that nobody meets would come for ever
        pump = state.pumps.get(f"{subject.site}/{subject.pump}")
        if pump is not None and subject.ended_at is None:
            if delivery.may_fall_silent(subject):
                instants.append(pump.heard_at + promise_ms(pump, state.protocols.get(subject.protocol)))
            if pump.judged_from:
                instants.append(pump.judged_from)
                due_at = None  # its rules wait until then
    else:
        instants += [pump_due_at for pump in _alerting(state) if (pump_due_at := next_alert_due(pump.alerts)) is not None]
    desk = state.desk
    if desk.deaf_until is not None and desk.deaf_until > desk.now_at:
        instants.append(desk.deaf_until)
    if due_at is not None:
        instants.append(due_at)
    return min(instants, default=None)


def rules_of(state: State, subject: Course | Site) -> dict[str, Rule]:
    """The rules that may speak about a subject, by name."""
    return state.rules.get(subject.protocol if isinstance(subject, Course) else "", {})


def alerts_of(state: State, subject: Course | Site) -> Iterable[Alert]:
    """All alerts that stand about a subject."""
    yield from subject.alerts.values()
    if isinstance(subject, Site):
        for pump in _alerting(state):
            yield from pump.alerts.values()


def is_deaf(desk: Desk, at: Instant) -> bool:
    """No broker session, or its backlog is still being read: what pumps say may not have reached us."""
    return at < desk.deaf_until if desk.deaf_until is not None else not desk.connected


def _judge_site(state: State, site: Site, woken: int, now: Context) -> list[Change]:
    desk, rules = state.desk, state.rules.get("", {})
    changes = _drop_orphans(site.alerts, rules) if woken == Facet.ALL else []
    view = View(now.at, deaf_since=None if desk.connected else desk.lost_at)
    changes += judge(rules.values(), site.alerts, view, woken=woken, scope="site")
    due = {pump_key for pump_key in state.alerting if woken or _wants_a_look(state.pumps.get(pump_key), now.at)}
    for key in sorted(state.stirred | due):
        changes += _judge_stranger(state, key, rules, woken, now)
    state.stirred.clear()
    return changes


def _wants_a_look(pump: Pump | None, at: Instant) -> bool:
    """Whether time, or a course that it got, may have ended what the site was told about this pump."""
    if pump is None or pump.course:
        return True
    due_at = next_alert_due(pump.alerts)
    return due_at is not None and due_at <= at


def _judge_stranger(state: State, key: str, rules: Mapping[str, Rule], woken: int, now: Context) -> list[Change]:
    """Judge a pump of no course, or take back what the site was told about one that has just got a course."""
    known = state.pumps.get(key)
    if known is None:
        state.alerting.discard(key)
        return []
    pump = state.pump(known.site, known.device)
    messages = (0, 0) if pump.course else twin.messages_of(pump, now.at)
    view = View(now.at, messages=messages, unassigned=pump.device)
    changes = judge(rules.values(), pump.alerts, view, woken=woken | Facet.REFUSALS, scope="pump")
    (state.alerting.add if pump.alerts else state.alerting.discard)(key)
    return changes


def _alerting(state: State) -> list[Pump]:
    """The pumps without a course that the site has an alert about, always in the same order."""
    return [state.pumps[key] for key in sorted(state.alerting) if key in state.pumps]


def _view(course: Course, pump: Pump, protocol: Protocol, now: Context) -> View:
    ended = course.ended_at is not None
    conditions = [
        ActiveCondition(
            known.condition,
            known.started_at,
            known.device_priority,
            _priority(known, protocol),
            known.stops_delivery,
            known.text,
        )
        for known in pump.conditions.values()
        if known.active and not ended
    ]
    return View(
        now.at,
        judgement=delivery.judgement_of(course),
        conditions=conditions,
        enrolled_at=course.enrolled_at,
        heard=ended or pump.heard_at >= course.enrolled_at,
        messages=(0, 0) if ended else twin.messages_of(pump, now.at),
        inhibitions=frozenset({"gateway-deaf"}) if is_deaf(now.desk, now.at) else frozenset(),
    )


def _priority(known: PumpCondition, protocol: Protocol) -> Priority:
    """Our priority of a condition; an unknown one keeps the device's own, and counts as high when it sent none."""
    ours = protocol.conditions[known.condition]
    if known.condition is Condition.OTHER and known.device_priority is not None:
        return known.device_priority
    return ours


def _drop_orphans(alerts: dict[str, Alert], rules: dict[str, Rule]) -> list[Change]:
    """Alerts whose rule was taken out of the protocol are over."""
    gone = [alert for alert in alerts.values() if alert.rule not in rules]
    changes = []
    for alert in gone:
        del alerts[alert.key]
        if alert.phase is AlertPhase.FIRING:
            alert.phase, alert.due_at = AlertPhase.RESOLVED, None
            changes.append(Change(ChangeKind.RESOLVED, alert))
    return changes
