"""What a ward file allows but a ward would rather know: `dripwatch check-config` prints these."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from gateway.config.references import MUST_NOT_END
from gateway.config.secrets import WIDEST_PERMISSIONS
from gateway.config.settings import AppriseSettings, LoadedWard
from gateway.core.oncall import CAREGIVER, gaps
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.ward import Schedule, Ward
from gateway.domain.words import Priority
from rules.yaml_lines import Path, Problem

LOOK_AHEAD_MS = 28 * DAY_MS
GAPS_SHOWN_MAX = 10  # a schedule; more of them say nothing new


class FindingName(StrEnum):
    """What was found."""

    ON_CALL_GAP = "on-call-gap"
    ONE_CHANNEL = "one-channel"
    NEVER_PAGED = "never-paged"
    UNREACHABLE_STEP = "unreachable-step"
    UNUSED_POLICY = "unused-policy"
    MAY_END_IN_SILENCE = "may-end-in-silence"
    WEAK_FALLBACK = "weak-fallback"
    SHADOWED_ROUTE = "shadowed-route"
    ADDRESS_UNUSED = "address-unused"
    SECRET_READABLE = "secret-readable"  # noqa: S105 - a finding's name
    CONSOLE_EXPOSED = "console-exposed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing. It reads like a problem: `ward.yaml:52: schedules.ward-nurse: nobody is on call from …`."""

    name: FindingName
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem} ({self.name})"


_PRIORITIES = frozenset(priority.value for priority in Priority)

Found = Iterator[tuple[FindingName, Path, str]]


def findings(loaded: LoadedWard, at: Instant) -> list[Finding]:
    """All findings, in the order of the file's lines; schedules are looked at for 28 days from `at`."""
    checks: tuple[Callable[[LoadedWard, Instant], Found], ...] = (
        _on_call_gaps,
        _people,
        _steps,
        _policies,
        _routes,
        _fallback,
        _transports,
        _secrets,
        _console,
    )
    located = loaded.located
    found = [
        Finding(name, Problem(loaded.source, located.line(path) if located else 0, path, message))
        for check in checks
        for name, path, message in check(loaded, at)
    ]
    return sorted(found, key=lambda finding: finding.problem.line)


def _on_call_gaps(loaded: LoadedWard, at: Instant) -> Found:
    for name, schedule in loaded.ward.schedules.items():
        found = gaps(schedule, at, at + LOOK_AHEAD_MS)
        for start, end in found[:GAPS_SHOWN_MAX]:
            stretch = f"from {_local(start, schedule)} until {_local(end, schedule)}"
            yield FindingName.ON_CALL_GAP, ("schedules", name), f"nobody is on call {stretch}"
        if len(found) > GAPS_SHOWN_MAX:
            yield FindingName.ON_CALL_GAP, ("schedules", name), f"and {len(found) - GAPS_SHOWN_MAX} more gaps in these 28 days"


def _local(at: Instant, schedule: Schedule) -> str:
    return f"{datetime.fromtimestamp(at / SECOND_MS, ZoneInfo(schedule.timezone)):%a %Y-%m-%d %H:%M}"


def _people(loaded: LoadedWard, _at: Instant) -> Found:
    ward = loaded.ward
    paged = {person for targets in _all_targets(ward) for target in targets for person in _ever_meant(target, ward)}
    for person in ward.people.values():
        path = ("people", person.id)
        channels = {contact.transport for contact in person.contacts}
        if len(channels) == 1:
            yield FindingName.ONE_CHANNEL, path, f"reached by {channels.pop()} only; add a second transport"
        if person.id not in paged:
            yield FindingName.NEVER_PAGED, path, "no policy ever pages this person"


def _all_targets(ward: Ward) -> Iterator[tuple[str, ...]]:
    yield ward.fallback
    for policy in ward.policies.values():
        yield policy.milestone_targets
        for step in policy.steps:
            yield step.targets


def _ever_meant(target: str, ward: Ward) -> set[str]:
    """Everybody whom a target could mean at some time."""
    kind, _, name = target.partition(":")
    if kind == "person":
        return {name}
    if kind == "all":
        return set(ward.teams[name])
    if kind != "schedule":
        return set()
    schedule = ward.schedules[name]
    turns = schedule.rotation.people if schedule.rotation else ()
    return {*turns, *(shift.person for shift in (*schedule.overrides, *schedule.shifts))}


def _steps(loaded: LoadedWard, at: Instant) -> Found:
    """A step whose targets mean nobody for all of the 28 days is skipped each time."""
    for name, policy in loaded.ward.policies.items():
        for i, step in enumerate(policy.steps):
            if all(_means_nobody(target, loaded.ward, at) for target in step.targets):
                message = "pages nobody in the next 28 days; it is skipped each time"
                yield FindingName.UNREACHABLE_STEP, ("policies", name, "steps", i), message


def _means_nobody(target: str, ward: Ward, at: Instant) -> bool:
    kind, _, name = target.partition(":")
    return kind == "schedule" and gaps(ward.schedules[name], at, at + LOOK_AHEAD_MS) == [(at, at + LOOK_AHEAD_MS)]


def _policies(loaded: LoadedWard, _at: Instant) -> Found:
    routed = {route.policy for route in loaded.ward.routes}
    for name, policy in loaded.ward.policies.items():
        path = ("policies", name)
        if name not in _PRIORITIES and name not in routed:
            yield FindingName.UNUSED_POLICY, path, "no priority and no route uses it"
        if name not in MUST_NOT_END and policy.steps and policy.repeat_from is None:
            message = "falls silent after its last step; add repeat, like {from_step: 1, every: 4h}"
            yield FindingName.MAY_END_IN_SILENCE, path, message


def _routes(loaded: LoadedWard, _at: Instant) -> Found:
    ward, seen = loaded.ward, set[str]()
    for i, route in enumerate(ward.routes):
        if route.rule in seen:
            yield FindingName.SHADOWED_ROUTE, ("routes", i), f"never used: an earlier route takes {route.rule}"
        elif not ward.policies[route.policy].steps:
            message = f"alerts of {route.rule} page nobody: {route.policy} has no steps"
            yield FindingName.MAY_END_IN_SILENCE, ("routes", i), message
        seen.add(route.rule)


def _fallback(loaded: LoadedWard, _at: Instant) -> Found:
    if all(target == CAREGIVER or target.startswith("schedule:") for target in loaded.ward.fallback):
        message = "can come out empty when it is needed; name at least one person or team"
        yield FindingName.WEAK_FALLBACK, ("policies", "fallback"), message


def _transports(loaded: LoadedWard, _at: Instant) -> Found:
    for name, transport in loaded.transports.items():
        if isinstance(transport, AppriseSettings) and "{address}" not in transport.url:
            message = "every page goes to the same place: the URL has no {address} for the contact's own"
            yield FindingName.ADDRESS_UNUSED, ("transports", name), message


def _secrets(loaded: LoadedWard, _at: Instant) -> Found:
    for file in loaded.secret_files:
        if file.permissions & ~WIDEST_PERMISSIONS:
            message = f"{file.path} has permissions {file.permissions:04o}; chmod 0600 or 0640 it"
            yield FindingName.SECRET_READABLE, file.key, message


def _console(loaded: LoadedWard, _at: Instant) -> Found:
    host = loaded.console.host
    if host != "localhost" and not _is_loopback(host):
        message = f"listens on {host}, beyond this machine; put a TLS proxy before it and listen on 127.0.0.1"
        yield FindingName.CONSOLE_EXPOSED, ("console", "listen"), message


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: nobody knows where it leads
        return False
