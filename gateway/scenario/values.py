"""What may stand behind a scenario's words: named mistakes, so that a story with a slip is refused instead of told wrongly."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.config.settings import LoadedWard
from gateway.domain.words import Condition, NotDeliveringReason, Priority
from gateway.runtime.answering import Wish
from rules.durations import parse_ms

Wrong = tuple[str, str]  # (key, what is wrong and the mend)

_CODE = re.compile(r"\{(?:wide )?code@([^}]*)\}")
_PAYLOADS = ("json", "text", "hex")


def wrong_values(verb: str, keys: Mapping[str, Any], ward: LoadedWard | None, enrolled: set[str]) -> Iterator[Wrong]:
    """Everything that is wrong with one step's values. `enrolled` are the pumps of the steps before."""
    outer, _, inner = verb.partition(".")
    if outer == "pump":
        yield from _pump(inner, keys, enrolled)
    elif outer == "person":
        yield from (("reply", f"{at!r} is not an offset") for at in _CODE.findall(str(keys.get("reply", ""))) if not _is_time(at))
        yield from _one_of(keys, "link", ("open", *Wish))
        yield from _time(keys, "sent")
    elif outer == "transport":
        yield from _transport(keys, ward)
    elif outer == "gateway":
        yield from _one_of(keys, "gateway", ("crash", "reload"))
        yield from _one_of(keys, "at_point", ("before-send", "sending", "after-send"))
        yield from _time(keys, "restart_after")
    elif outer == "influx":
        yield from _one_of(keys, "influx", ("down", "up"))
    elif outer == "broker":
        yield from _one_of(keys, "broker", ("down", "up", "drops"))
        yield from _number(keys, "messages")
    elif outer == "enrol":
        yield from _number(keys["enrol"], "primed_ml")
        yield from _number(keys["enrol"], "cycle")
        yield from _time(keys["enrol"], "planned_change")


def wrong_page(keys: Mapping[str, Any]) -> Iterator[Wrong]:
    """Everything that is wrong with the keys of an expected or allowed page, or of another expectation."""
    yield from _one_of(keys, "priority", tuple(Priority))
    yield from _time(keys, "since")
    if not _holds(lambda: re.compile(str(keys.get("says", "")))):
        yield "says", "is not a regular expression"
    if "times" in keys and not (isinstance(keys["times"], int) and keys["times"] >= 0):
        yield "times", "is a whole number"


def _pump(verb: str, keys: Mapping[str, Any], enrolled: set[str]) -> Iterator[Wrong]:
    if verb == "publish":
        yield from _payload(keys["publish"])
        return
    if str(keys["pump"]) not in enrolled:
        yield "pump", f"{keys['pump']} is enrolled by no step above"
    if verb in ("alarm", "clear"):
        yield from _one_of(keys, verb, tuple(Condition))
        yield from _one_of(keys, "priority", tuple(Priority))
    elif verb == "stop":
        yield from _one_of(keys, verb, tuple(NotDeliveringReason))
    elif verb in ("rate", "battery", "prime"):
        yield from _number(keys, verb)
    yield from _number(keys, "primed_ml")
    yield from _number(keys, "drain_percent_h")


def _payload(payload: object) -> Iterator[Wrong]:
    if not isinstance(payload, Mapping) or sum(key in payload for key in _PAYLOADS) != 1:
        yield "publish", "is a mapping with a channel and one of json, text, hex"
        return
    odd = payload.keys() - {"channel", *_PAYLOADS}
    if odd:
        yield "publish", f"unknown {', '.join(sorted(odd))}; known: channel, {', '.join(_PAYLOADS)}"
    if "hex" in payload and not _holds(lambda: bytes.fromhex(str(payload["hex"]))):
        yield "publish", "hex has two digits a byte"


def _transport(keys: Mapping[str, Any], ward: LoadedWard | None) -> Iterator[Wrong]:
    yield from _one_of(keys, "fail", ("reject", "temporary", "timeout", "hang"))
    yield from _one_of(keys, "receipt", ("none",))
    if sum(key in keys for key in ("fail", "heal", "receipt")) != 1:
        yield "transport", "needs one of fail, heal, receipt"
    if ward is not None:
        yield from _one_of(keys, "transport", tuple(ward.ward.transports))
        yield from _one_of(keys, "for", tuple(ward.ward.people))


def _one_of(keys: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> Iterator[Wrong]:
    if key in keys and keys[key] not in allowed:
        yield key, f"{keys[key]!r} is not one of: {', '.join(allowed)}"


def _number(keys: Mapping[str, Any], key: str) -> Iterator[Wrong]:
    if key in keys and (isinstance(keys[key], bool) or not isinstance(keys[key], int | float) or keys[key] < 0):
        yield key, "is a number, not below 0"


def _time(keys: Mapping[str, Any], key: str) -> Iterator[Wrong]:
    if key in keys and not _is_time(str(keys[key])):
        yield key, f"{keys[key]!r} is not a duration; write it like 90s, 5m, 1h30m or 2d"


def _is_time(text: str) -> bool:
    return _holds(lambda: parse_ms(text))


def _holds(ask: Callable[[], object]) -> bool:
    """Whether asking raises nothing that says "not like this"."""
    try:
        ask()
    except (ValueError, re.error):
        return False
    return True
