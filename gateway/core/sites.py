"""The ward itself: whether a whole site is silent, pumps that serve nobody, and the gateway's own hearing."""

from heapq import heappop, heappush

from gateway.core import delivery, watched
from gateway.core.bench_state import is_on_bench
from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.incidents import key_of
from gateway.core.intake import promise_ms
from gateway.core.state import Course, Pump, Site
from gateway.core.store import State
from gateway.core.synthetic import SYNTHETIC
from gateway.core.views import NONE_SILENT, View, view_of_stranger
from gateway.domain.bench import EndBench, StartBench
from gateway.domain.care import NextCycle, StartBreak, SwapPump
from gateway.domain.commands import Command, EndCourse, Enrol
from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.domain.outlook import SilentPumps
from gateway.domain.view import Facet
from gateway.domain.words import AlertPhase
from rules.engine import SITE_SILENT, Alert, Change, ChangeKind, judge
from rules.engine import next_due as next_alert_due
from rules.model import Rule

LINGERS_MS = 5 * MINUTE_MS  # pumps come back one after the other: the site's silence goes on holding theirs back so long
STALE_MAX = 1_000  # entries of the heap that are out of date and not worth a new heap
HEARING_MS = 5 * MINUTE_MS  # after deafness the pumps have this long to be heard again before a site can count as silent

GATEWAY_DEAF = "gateway-deaf"
DEAF = frozenset({GATEWAY_DEAF})
HEARS = frozenset[str]()


def is_deaf(desk: Desk, at: Instant) -> bool:
    """No broker session, or its backlog is still being read: what pumps say may not have reached us."""
    return at < desk.deaf_until if desk.deaf_until is not None else not desk.connected


def inhibitions(state: State, course: Course, at: Instant) -> frozenset[str]:
    """What holds back this course's rules now."""
    found = DEAF if is_deaf(state.desk, at) else HEARS
    site = state.sites.get(course.site)
    return found | {SITE_SILENT} if site is not None and site.inhibits else found


def concerned(state: State, command: Command) -> set[str]:
    """Keys of the pumps that may serve nobody, or somebody, once this command is obeyed; asked before it is."""
    names = set()
    if isinstance(command, Enrol | SwapPump | NextCycle | StartBench | EndBench):
        names.add(command.pump)
    if isinstance(command, EndCourse | SwapPump | NextCycle | StartBreak) and command.course in state.courses:
        names.add(state.courses[command.course].pump)
    return {f"{state.ward.site}/{name}" for name in names}


def plan_look(state: State, now: Context) -> Instant:
    """When to look at a site of which a pump fell silent or came back just now: at the full second.

    A site of thousands may fall silent at once; one look a second is enough.
    """
    look_at = -(-now.at // SECOND_MS) * SECOND_MS
    site = state.sites.get(now.ward.site)
    if site is not None and site.look_at != look_at:
        state.touch(site.id)
        site.look_at = look_at
    return look_at


def judge_site(state: State, site: Site, woken: int, now: Context) -> list[Change]:
    """Judge the site's own rules, and those about pumps without a course."""
    desk, rules = state.desk, state.rules.get("", {})
    changes = drop_orphans(site.alerts, rules) if woken == Facet.ALL else []
    if now.at in (desk.deaf_until, _hearing_at(desk), site.look_at):
        woken |= Facet.SITE | Facet.INHIBITION
    view = View(
        now.at,
        deaf_since=None if desk.connected else desk.lost_at,
        inhibitions=DEAF if is_deaf(desk, now.at) else HEARS,
        silent_pumps=_silent_pumps(state, site, now.at) if woken & (Facet.SITE | Facet.INHIBITION) else NONE_SILENT,
        watchdog_due_at=watched.due_at(now.ward, desk),
        broker_drops=desk.drops,
    )
    own = judge(rules.values(), site.alerts, view, woken=woken, scope="site", settled=site.settled)
    changes += own + _judge_strangers(state, rules, woken, now)
    if any(change.kind is ChangeKind.RESOLVED and change.alert.rule == SITE_SILENT for change in own):
        site.lingers_until = now.at + LINGERS_MS
    fires = any(alert.rule == SITE_SILENT and alert.phase is AlertPhase.FIRING for alert in site.alerts.values())
    site.inhibits = fires or now.at < site.lingers_until
    return changes


def next_due(state: State, site: Site) -> Instant | None:
    """When time alone changes the site's alerts, or what they hold back."""
    now_at, dues = state.desk.now_at, state.stray_dues
    while dues and state.alerting.get(dues[0][1]) != dues[0][0]:
        heappop(dues)
    instants = [dues[0][0]] if dues else []
    instants += [at for at in (site.lingers_until, site.look_at, _hearing_at(state.desk)) if at is not None and at > now_at]
    return min(instants, default=None)


def index_strangers(state: State) -> None:
    """Find the pumps that the site has an alert about, and when each is to be looked at, in a state that was restored."""
    now_at, pumps = state.desk.now_at, state.pumps.items()
    state.alerting = {key: _look_at(pump, now_at) for key, pump in pumps if pump.alerts or is_on_bench(pump.bench, now_at)}
    state.stray_dues = sorted((due_at, key) for key, due_at in state.alerting.items() if due_at is not None)


def join(state: State, judged: dict[str, list[Change]], now: Context) -> list[tuple[Course, list[Change]]]:
    """Take out of `judged` what belongs to the site's incident: one page, not one a home. Returns it by course."""
    site, found = state.sites.get(now.ward.site), []
    if site is None or not (site.inhibits or site.open):
        return []
    for name, changes in list(judged.items()):
        course = state.courses.get(name)
        joined = [change for change in changes if course is not None and _joins(site, course, change, state)]
        if course is not None and joined:
            judged[name] = [change for change in changes if change not in joined]
            found.append((course, joined))
    if found:
        state.touch(site.id)
        judged.setdefault(site.id, [])
    return found


def _joins(site: Site, course: Course, change: Change, state: State) -> bool:
    """Whether this alert became high while a silent site held it back, or did so before."""
    if any(key_of(change.alert, course) in incident.alerts for incident in site.open.values()):
        return True
    rule = state.rules.get(course.protocol, {}).get(change.alert.rule)
    return change.kind is ChangeKind.FIRED and site.inhibits and rule is not None and SITE_SILENT in rule.unless


def drop_orphans(alerts: dict[str, Alert], rules: dict[str, Rule]) -> list[Change]:
    """Alerts whose rule was taken out of the protocol are over."""
    gone = [alert for alert in alerts.values() if alert.rule not in rules]
    changes = []
    for alert in gone:
        del alerts[alert.key]
        if alert.phase is AlertPhase.FIRING:
            alert.phase, alert.due_at = AlertPhase.RESOLVED, None
            changes.append(Change(ChangeKind.RESOLVED, alert))
    return changes


def _judge_strangers(state: State, rules: dict[str, Rule], woken: int, now: Context) -> list[Change]:
    """Judge the pumps without a course of which something is new: ten thousand that say nothing new cost nothing."""
    due, dues = set(state.pumps) if woken == Facet.ALL else set(), state.stray_dues
    while dues and dues[0][0] <= now.at:
        due_at, key = heappop(dues)
        if state.alerting.get(key) == due_at:
            due.add(key)
    changes: list[Change] = []
    for key in sorted(state.stirred | due):
        changes += _judge_stranger(state, key, rules, now)
    state.stirred.clear()
    return changes


def _judge_stranger(state: State, key: str, rules: dict[str, Rule], now: Context) -> list[Change]:
    """Judge a pump of no course, or take back what the site was told about one that has just got a course."""
    known = state.pumps.get(key)
    if known is None or (not known.alerts and (known.course or not known.minutes)):
        state.alerting.pop(key, None)
        return []
    pump = state.pump(known.site, known.device)
    if not pump.course and not pump.stray_at:
        pump.stray_at = now.at
    protocol = next(iter(state.protocols.values()), None)
    changes = judge(rules.values(), pump.alerts, view_of_stranger(pump, protocol, now), woken=Facet.ALL, scope="pump")
    _plan_look_at(state, key, pump)
    return changes


def _plan_look_at(state: State, key: str, pump: Pump) -> None:
    due_at = _look_at(pump, state.desk.now_at)
    if due_at is not None and (state.alerting.get(key) != due_at or due_at <= state.desk.now_at):
        heappush(state.stray_dues, (due_at, key))
    if pump.alerts or due_at is not None:
        state.alerting[key] = due_at
    else:
        state.alerting.pop(key, None)
    if len(state.stray_dues) > STALE_MAX + 2 * len(state.alerting):  # most of it is out of date
        state.stray_dues = sorted((at, name) for name, at in state.alerting.items() if at is not None)


def _look_at(pump: Pump, at: Instant) -> Instant | None:
    """When time alone changes what is said of a pump without a course: an alert is due, or its time on the bench is over."""
    due_at = next_alert_due(pump.alerts)
    if pump.bench is None or not is_on_bench(pump.bench, at):
        return due_at
    return pump.bench.until_at if due_at is None else min(due_at, pump.bench.until_at)


def _silent_pumps(state: State, site: Site, at: Instant) -> SilentPumps:
    """When each pump fell silent; while the gateway could not hear, nobody did, and then each has its promise again."""
    desk = state.desk
    heard_from = desk.deaf_until if desk.deaf_until is not None else 0
    since, watched = [], 0
    for course in state.courses.values():
        pump = state.pumps.get(f"{course.site}/{course.pump}")
        if course.id == SYNTHETIC:
            continue
        if course.site != site.id or pump is None or not delivery.is_served(course) or pump.heard_at < course.enrolled_at:
            continue
        if course.delivery.cause == delivery.IN_HOSPITAL:
            continue
        watched += 1
        promise = promise_ms(pump, state.protocols.get(course.protocol))
        silent_at = pump.heard_at + promise
        if silent_at > desk.deaf_from:
            silent_at = max(silent_at, heard_from + promise)
        if silent_at <= at:
            since.append(silent_at)
    return SilentPumps(tuple(sorted(since)), watched)


def _hearing_at(desk: Desk) -> Instant | None:
    return None if desk.deaf_until is None else desk.deaf_until + HEARING_MS
