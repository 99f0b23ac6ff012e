"""The ward file's `watchdog` and `synthetic`: what must fit together, and what the gateway works with."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.config.problems import Report, unknown
from gateway.core.synthetic import ROUTE
from gateway.domain.ward import Synthetic, WatchedBy

if TYPE_CHECKING:  # it imports us by way of the references
    from gateway.config.ward_file import SyntheticFile, WatchdogFile

GATEWAY = "gateway"  # the level of the gateway's own heartbeat


def check_watching(raw: Mapping[str, Any], report: Report) -> None:
    """Report what does not fit together."""
    synthetic, watchdog, people, policies = (_mapping(raw.get(key)) for key in ("synthetic", "watchdog", "people", "policies"))
    pump, device, person = synthetic.get("pump"), watchdog.get("device", "watchdog"), synthetic.get("page")
    if isinstance(person, str) and person not in people:
        report.add(("synthetic", "page"), unknown("person", person, people))
    if synthetic and ROUTE in policies:
        report.add(("policies", ROUTE), "the gateway's own test has a policy of that name; name yours otherwise")
    if pump == GATEWAY:
        report.add(("synthetic", "pump"), "the gateway's own heartbeat has that name; name the synthetic pump otherwise")
    if watchdog and device in (GATEWAY, pump):
        report.add(("watchdog", "device"), f"{device!r} is somebody else's name already; give the watchdog one of its own")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def build_synthetic(file: "SyntheticFile | None") -> Synthetic | None:
    """The gateway's own test, where the ward wants one."""
    return None if file is None else Synthetic(file.pump, file.page, file.within, file.every)


def build_watchdog(file: "WatchdogFile | None") -> WatchedBy | None:
    """The watchdog, where the ward has one."""
    return None if file is None else WatchedBy(file.device, file.silent_after)
