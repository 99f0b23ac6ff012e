"""What people record in a story: windows, silences, and any other command under its own name."""

from collections.abc import Mapping
from typing import Any

from device_adapters.simulated_pump import SimulatedPump
from gateway.core.state import Course
from gateway.domain.care import OpenWindow, SilenceRules, WindowKind
from gateway.domain.commands import Command
from gateway.domain.instants import Instant
from gateway.runtime.records import command_from
from gateway.scenario.house import House
from gateway.scenario.pumps import publish_now
from rules.durations import parse_ms

WARD = "ward"  # who records, where the story names nobody


def recorded(verb: str, keys: Mapping[str, Any], start_at: Instant) -> Command:
    """The command that a `window`, `silence` or `record` step stands for. Raises ValueError in words."""
    if verb == "window":
        return _window(keys)
    return _silence(keys) if verb == "silence" else _command(keys, start_at)


def _window(keys: Mapping[str, Any]) -> OpenWindow:
    """`{course, kind: bag-change, for: 30m}`: starts now. Raises ValueError in words."""
    kind = WindowKind(str(keys.get("kind", WindowKind.BAG_CHANGE)))
    return OpenWindow(course=str(keys["course"]), kind=kind, for_ms=parse_ms(str(keys["for"])))


def _silence(keys: Mapping[str, Any]) -> SilenceRules:
    """`{course, rules: [...], for: 1h, reason}`: starts now; without rules everything is mute."""
    rules = tuple(str(rule) for rule in keys.get("rules") or ())
    reason = str(keys.get("reason", ""))
    return SilenceRules(course=str(keys["course"]), rules=rules, for_ms=parse_ms(str(keys["for"])), reason=reason)


def _command(keys: Mapping[str, Any], start_at: Instant) -> Command:
    """`{command: swap-pump, course: P-017, pump: p2}`. Raises ValueError in words.

    `for: 1h` and other keys that stand for a `..._ms` of the command are durations; `..._at` are offsets from the story's start
    (`-15d` is before it).
    """
    given = {key: value for key, value in keys.items() if key != "command"}
    args: dict[str, Any] = {}
    for key, value in given.items():
        if key in ("for", "planned_change"):
            args[f"{key}_ms"] = parse_ms(str(value))
        elif key.endswith("_at"):
            args[key] = _offset(str(value), start_at)
        else:
            args[key] = value
    return command_from(str(keys["command"]), _with_instants(args, start_at))


def _with_instants(args: dict[str, Any], start_at: Instant) -> dict[str, Any]:
    """A checklist's items carry the offset at which they were signed."""
    if isinstance(args.get("checklist"), list):
        items = args["checklist"]
        args["checklist"] = [{**item, "at": _offset(str(item.get("at", "0s")), start_at)} for item in items]
    return args


def _offset(text: str, start_at: Instant) -> Instant:
    return start_at - parse_ms(text[1:]) if text.startswith("-") else start_at + parse_ms(text)


def exchange(
    house: House, pumps: dict[str, SimulatedPump], course: Course, before: str, at: Instant, *, fresh: bool, runs: bool
) -> None:
    """The course's new pump stands in the home, with a `fresh` bag or the rest of the one before, which says no more.

    Its boot is another one each time: a pump that comes back counts its messages from the beginning.
    """
    kind = house.fold.monitor.state.protocols[course.protocol].bags[course.bag.kind if course.bag else ""]
    old = pumps.get(before)
    left_ml = kind.fill_ml if fresh or old is None else old.works.bag.remaining_ml
    if old is not None:
        old.disconnect(at, keeps=False)
    pump = SimulatedPump(course.pump, rate_ml_h=kind.rate_ml_h, bag_ml=left_ml, started_at=at, boot=f"{course.pump}-{at}")
    pumps[course.pump] = pump
    if runs:
        publish_now(house, course.site, pump, pump.power_up(at), at)
    else:
        pump.disconnect(at, keeps=False)
