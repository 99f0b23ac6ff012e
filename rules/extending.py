"""A protocol that extends another: mappings merge, rules merge by name, everything else replaces what was there.

A rule that the base does not have is added; a null takes a key out. What is kept in the journal is the merged text, so that a
replay years later needs no file of ours.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rules.yaml_lines import Located, Path, Problem, YamlProblem, load

BASES_MAX = 5

Find = Callable[[str], str | None]


class Extended:
    """A document merged with its bases. `problems` says why it could not be; `line` finds a place in the document itself."""

    def __init__(self, text: str, source: str, find: Find) -> None:
        self.problems: list[Problem] = []
        self.value: dict[str, Any] = {}
        self._located: Located | None = None
        chain: list[dict[str, Any]] = []
        names = [source]
        document: str | None = text
        while document is not None and not self.problems:
            own = self._read(document, names[-1])
            chain.append(own)
            base = own.get("extends")
            document = self._base(base, names, find) if base is not None else None
        for own in reversed(chain):
            self.value = merged(self.value, own)
        self.value.pop("extends", None)
        self.is_extended = len(chain) > 1

    def line(self, path: Path) -> int:
        """1-based line of the deepest part of `path` that the document itself has; its first line for what its bases say."""
        if self._located is None:
            return 0
        if len(path) > 1 and path[0] == "rules" and isinstance(path[1], int) and self.is_extended:
            name = _names(self.value.get("rules"))[path[1]]
            own = _names(self._located.value.get("rules"))
            if name not in own:
                return self._located.line(("extends",))
            path = ("rules", own.index(name), *path[2:])
        return self._located.line(path)

    def text(self) -> str:
        """The merged document by itself, as JSON, which is YAML."""
        return json.dumps(self.value, ensure_ascii=False, indent=1)

    def _read(self, text: str, source: str) -> dict[str, Any]:
        try:
            located = load(text, source)
        except YamlProblem as broken:
            self.problems.append(Problem(source, broken.line, (), broken.message))
            return {}
        self._located = self._located or located
        return dict(located.value) if isinstance(located.value, dict) else {}

    def _base(self, base: Any, names: list[str], find: Find) -> str | None:
        name = str(base)
        text = None if name in names or len(names) > BASES_MAX else find(name)
        if text is None:
            why = "extends itself" if name in names else "has no such base, neither shipped nor a file here"
            line = self._located.line(("extends",)) if self._located is not None else 0
            self.problems.append(Problem(names[0], line, ("extends",), f"{name!r}: {why}"))
        names.append(name)
        return text


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` over `base`, as a new dict."""
    found = dict(base)
    for key, value in own.items():
        below = found.get(key)
        if value is None:
            found.pop(key, None)
        elif key == "rules" and isinstance(value, list) and isinstance(below, list):
            found[key] = _merged_rules(below, value)
        elif isinstance(value, Mapping) and isinstance(below, Mapping):
            found[key] = merged(below, value)
        else:
            found[key] = value
    return found


def _merged_rules(base: list[Any], own: list[Any]) -> list[Any]:
    patches = {str(rule.get("rule")): rule for rule in own if isinstance(rule, dict)}
    names = _names(base)
    rules = [merged(rule, patches[name]) if name in patches else rule for name, rule in zip(names, base, strict=True)]
    return [*rules, *(rule for rule in own if not isinstance(rule, dict) or str(rule.get("rule")) not in names)]


def _names(rules: Any) -> list[str]:
    return [str(rule.get("rule")) if isinstance(rule, dict) else "" for rule in rules] if isinstance(rules, list) else []
