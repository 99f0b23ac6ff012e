"""What a ward file allows but a ward would rather know: `dripwatch check-config` prints these."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from gateway.config import lint_oncall
from gateway.config.finding import FindingName, Found
from gateway.config.references import MUST_NOT_END
from gateway.config.secrets import WIDEST_PERMISSIONS
from gateway.config.settings import AppriseSettings, LoadedWard
from gateway.core.oncall import CAREGIVER
from gateway.core.synthetic import ROUTE
from gateway.domain.instants import Instant
from gateway.domain.words import Priority
from rules.yaml_lines import Problem

__all__ = ["Finding", "FindingName", "findings"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing. It reads like a problem: `ward.yaml:52: schedules.ward-nurse: nobody is on call from …`."""

    name: FindingName
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem} ({self.name})"


_PRIORITIES = frozenset(priority.value for priority in Priority)


def findings(loaded: LoadedWard, at: Instant) -> list[Finding]:
    """All findings, in the order of the file's lines; schedules are looked at for 28 days from `at`."""
    checks: tuple[Callable[[LoadedWard, Instant], Found], ...] = (
        lint_oncall.schedules,
        lint_oncall.people,
        lint_oncall.steps,
        lint_oncall.policies,
        _policies,
        _routes,
        _fallback,
        _transports,
        _secrets,
        _console,
        _mllp,
    )
    located = loaded.located
    found = [
        Finding(name, Problem(loaded.source, located.line(path) if located else 0, path, message))
        for check in checks
        for name, path, message in check(loaded, at)
    ]
    return sorted(found, key=lambda finding: finding.problem.line)


def _policies(loaded: LoadedWard, _at: Instant) -> Found:
    routed = {route.policy for route in loaded.ward.routes}
    for name, policy in loaded.ward.policies.items():
        if name == ROUTE:
            continue  # whoever runs the gateway's own test ends it
        path = ("policies", name)
        if name not in _PRIORITIES and name not in routed:
            yield FindingName.UNUSED_POLICY, path, "no priority and no route uses it; route a rule to it, or remove it"
        if name not in MUST_NOT_END and policy.steps and policy.repeat_from is None:
            message = "falls silent after its last step; add repeat, like {from_step: 1, every: 4h}"
            yield FindingName.MAY_END_IN_SILENCE, path, message


def _routes(loaded: LoadedWard, _at: Instant) -> Found:
    ward, seen = loaded.ward, set[str]()
    for i, route in enumerate(route for route in ward.routes if route.policy != ROUTE):
        if route.rule in seen:
            yield (
                FindingName.SHADOWED_ROUTE,
                ("routes", i),
                f"never used: an earlier route takes {route.rule}; remove one of them",
            )
        elif not ward.policies[route.policy].steps:
            message = f"alerts of {route.rule} page nobody: {route.policy} has no steps; give it some"
            yield FindingName.MAY_END_IN_SILENCE, ("routes", i), message
        seen.add(route.rule)


def _fallback(loaded: LoadedWard, _at: Instant) -> Found:
    if all(target == CAREGIVER or target.startswith("schedule:") for target in loaded.ward.fallback):
        message = "can come out empty when it is needed; name at least one person or team"
        yield FindingName.WEAK_FALLBACK, ("policies", "fallback"), message


def _transports(loaded: LoadedWard, _at: Instant) -> Found:
    for name, transport in loaded.transports.items():
        if isinstance(transport, AppriseSettings) and "{address}" not in transport.url:
            message = "every page goes to the same place; put {address} into the URL where the contact's own belongs"
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


def _mllp(loaded: LoadedWard, _at: Instant) -> Found:
    mllp = loaded.mllp
    if mllp is not None and mllp.tls is None and mllp.host != "localhost" and not _is_loopback(mllp.host):
        message = f"listens on {mllp.host} without TLS, and HL7 messages name patients; add tls, or listen on 127.0.0.1"
        yield FindingName.HL7_EXPOSED, ("mllp", "listen"), message


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: nobody knows where it leads
        return False
