"""The protocol files that a ward names: shipped with Dripwatch, or a path."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.config.problems import ConfigError
from rules.loader import RulesError, load_protocol, self_contained, shipped_text
from rules.yaml_lines import Problem


def read_protocols(names: Sequence[str], overrides: Mapping[str, Mapping[str, Any]], base_dir: Path | None) -> dict[str, str]:
    """The protocols' texts by name, proven to load with the overrides. Raises `ConfigError` with every problem."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    rules: set[str] = set()
    for name in names:
        text = text_of(name, base_dir)
        if text is None:
            problems.append(Problem("ward", 0, ("protocols",), f"no protocol {name!r}: neither shipped nor a file here"))
            continue
        try:
            whole = self_contained(text, name, lambda base: text_of(base, base_dir))
            protocol = load_protocol(text, name, overrides, lambda base: text_of(base, base_dir))
            rules |= {rule.name for rule in load_protocol(whole, name).rules}
            texts[protocol.name] = whole  # by itself: a replay years later needs no other file
        except RulesError as error:
            problems += error.problems
    if not problems:
        problems = [
            Problem("ward", 0, ("rules", rule), f"no protocol has a rule {rule!r}; rules: {', '.join(sorted(rules))}")
            for rule in overrides
            if rule not in rules and rule not in KNOWN_RULES
        ]
    if problems:
        raise ConfigError(tuple(problems))
    return texts


# The whole catalogue of the design: a ward may switch a rule off before its protocol has it.
KNOWN_RULES = frozenset(
    {
        "delivery-interrupted",
        "delivery-unknown",
        "alarm-persistent",
        "alarm-recurrent",
        "battery-running-out",
        "bag-ending-early",
        "bag-change-overdue",
        "bag-order-due",
        "interruption-found",
        "rate-mismatch",
        "under-delivery",
        "settings-changed",
        "pump-unassigned",
        "pump-never-heard",
        "fever",
        "handwriting-changed",
        "diary-missing",
        "undecodable-data",
        "site-silent",
        "gateway-deaf",
        "watchdog-silent",
        "broker-dropped",
    }
)


def text_of(name: str, base_dir: Path | None) -> str | None:
    """The text of a protocol: shipped, or a file beside the one that names it; None where there is neither."""
    shipped = shipped_text(name)
    if shipped is not None:
        return shipped
    path = (base_dir or Path()) / name
    return path.read_text(encoding="utf-8") if path.is_file() else None
