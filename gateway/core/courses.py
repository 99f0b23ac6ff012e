"""Judging a subject: a course's delivery and rules, or the site's own."""

from collections.abc import Mapping

from gateway.core import delivery, diary, scale, silences, sites
from gateway.core.context import Context
from gateway.core.incidents import key_of
from gateway.core.intake import is_silent, promise_ms
from gateway.core.judgements import delivery_point
from gateway.core.sites import drop_orphans, is_deaf
from gateway.core.state import Course, Interruption, Pump, Site
from gateway.core.store import State
from gateway.core.views import view_of_course
from gateway.domain.care import WindowKind
from gateway.domain.instants import Instant
from gateway.domain.view import Facet
from gateway.domain.words import OCCLUSIONS, AlertPhase, DeliveryState
from rules.engine import Alert, Change, judge
from rules.engine import next_due as next_alert_due
from rules.model import Rule

INTERRUPTED_RULE = "delivery-interrupted"


def judge_subject(state: State, subject: Course | Site, woken: int, now: Context) -> list[Change]:
    """Judge a subject's delivery and rules at `now.at`; returns what changed among its alerts."""
    if isinstance(subject, Site):
        return sites.judge_site(state, subject, woken, now)
    protocol = state.protocols.get(subject.protocol)
    if protocol is None:
        return []
    pump = state.pump_of(subject) if delivery.is_served(subject) else Pump(subject.site, subject.pump)
    _end_what_is_over(subject, now.at)
    silent, vouched = is_silent(pump, protocol, now.at), now.at < scale.vouches_until(pump, promise_ms(pump, protocol))
    if delivery.judge(subject, pump, protocol, now.at, silent=silent, vouched=vouched):
        now.effects.append(delivery_point(subject, now))
        woken |= Facet.DELIVERY
    if now.at >= subject.diary_due_at or woken == Facet.ALL:
        expected = subject.delivery.state is not DeliveryState.NOT_EXPECTED
        diary.look(subject, state.rules[subject.protocol], now, expected=expected, deaf=is_deaf(now.desk, now.at))
        woken |= Facet.DIARY
    _note_found(subject, state.rules[subject.protocol], pump, now.at)
    if pump.judged_from:
        if now.at < pump.judged_from:
            return []
        pump.judged_from, woken = 0, Facet.ALL
    if now.at == state.desk.deaf_until:
        woken |= Facet.INHIBITION
    rules = state.rules[subject.protocol]
    changes = drop_orphans(subject.alerts, rules) if woken == Facet.ALL else []
    view = view_of_course(subject, pump, protocol, sites.inhibitions(state, subject, now.at), now)
    return changes + judge(rules.values(), subject.alerts, view, woken=woken, settled=subject.settled)


def _note_found(course: Course, rules: Mapping[str, Rule], pump: Pump, at: Instant) -> None:
    """Interruptions of which we learn only when they are over are news: no rule has seen them, so nobody was told.

    They began and ended in what a pump kept while it was not heard, or inside one message; or an occlusion that had stopped the
    flow for an hour was cleared before its alert had held.
    """
    for interruption in reversed(course.delivery.interruptions):
        if interruption.noted_at:
            return
        interruption.noted_at = at
        unseen = INTERRUPTED_RULE not in course.alerts and (INTERRUPTED_RULE in rules or pump.judged_from != 0)
        interruption.found = interruption.found or unseen or _is_cleared_unsaid(course, interruption)


def _is_cleared_unsaid(course: Course, interruption: Interruption) -> bool:
    """Whether this occlusion was over before anybody was told: what it had cost by then is known only now."""
    told = any(alert.family == interruption.cause and alert.phase is AlertPhase.FIRING for alert in course.alerts.values())
    return interruption.cause in OCCLUSIONS and not told


def _end_what_is_over(course: Course, at: Instant) -> None:
    """Silences and a window whose time is over leave the course; after a hospital stay delivery at home is expected again."""
    care = course.care
    silences.forget_ended(course, at)
    if care.window is not None and at >= care.window.until_at:
        if care.window.kind is WindowKind.HOSPITAL_STAY:
            care.expected_from = care.window.until_at
        care.window = None


def next_due(state: State, subject: Course | Site) -> Instant | None:
    """When time alone changes this subject's judgement or alerts; incidents have their own deadlines."""
    alert_at, desk = next_alert_due(subject.alerts), state.desk
    instants = [desk.deaf_until if desk.deaf_until is not None and desk.deaf_until > desk.now_at else None]
    if isinstance(subject, Site):
        instants += [alert_at, sites.next_due(state, subject)]
    elif subject.protocol in state.protocols:
        instants += _due_of_course(state, subject, alert_at)
    else:
        return None  # nothing is judged without rules: a deadline that nobody meets would come for ever
    return min((instant for instant in instants if instant is not None), default=None)


def _due_of_course(state: State, course: Course, alert_at: Instant | None) -> list[Instant | None]:
    protocol, pump = state.protocols[course.protocol], state.pumps.get(f"{course.site}/{course.pump}")
    silence_end_at = silences.next_end(course, state.desk.now_at)
    if pump is None or not delivery.is_served(course):
        return [alert_at, silence_end_at]
    return [
        silence_end_at,
        delivery.next_due(course, protocol),
        _silent_at(pump, promise_ms(pump, protocol)) if delivery.may_fall_silent(course) else None,
        course.diary_due_at or None,
        pump.judged_from or alert_at,  # its rules wait until then
    ]


def _silent_at(pump: Pump, promise: int) -> Instant:
    """When nobody will speak for this pump's delivery any more: neither itself nor the bag's weight."""
    return max(pump.heard_at + promise, scale.vouches_until(pump, promise))


def rules_of(state: State, subject: Course | Site) -> dict[str, Rule]:
    """The rules that may speak about a subject, by name."""
    return state.rules.get(subject.protocol if isinstance(subject, Course) else "", {})


def alerts_of(state: State, subject: Course | Site) -> dict[str, Alert]:
    """All alerts that stand about a subject, by the keys under which its incidents carry them."""
    if isinstance(subject, Course):
        return subject.alerts
    found = dict(subject.alerts)
    for incident in subject.open.values():
        for note in (*incident.alerts.values(), *incident.last_alerts):
            stranger, course = state.pumps.get(f"{subject.id}/{note.kind}"), state.courses.get(note.course)
            if stranger is not None:  # what is said of a pump without a course names the pump
                found |= stranger.alerts
            if course is not None:
                found |= {key_of(alert, course): alert for alert in course.alerts.values()}
    return found
