"""Everything that is wrong with a ward file, at once, in plain words."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from rules.yaml_lines import Located, Path, Problem

_KNOWN_SHOWN_MAX = 12


class ConfigError(Exception):
    """The file cannot be used. `problems` are all that was found, in the order of the lines, those of other files last."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@dataclass(slots=True)
class Report:
    """Where the checks write what they find. `located` gives the lines; without it they are unknown (0)."""

    source: str
    located: Located | None = None
    _found: dict[Problem, None] = field(default_factory=dict)

    def add(self, path: Path, message: str) -> None:
        """One more problem; the same one twice counts once."""
        self._found[Problem(self.source, self.line(path), path, message)] = None

    def add_elsewhere(self, problem: Problem) -> None:
        """One more problem, of another file that this one names."""
        self._found[problem] = None

    def line(self, path: Path) -> int:
        """1-based line of the deepest known part of `path`; 0 when lines are unknown."""
        return self.located.line(path) if self.located else 0

    def refuse_if_any(self) -> None:
        """Raise `ConfigError` with all problems in the order of their lines, if there is one."""
        if self._found:
            raise ConfigError(tuple(sorted(self._found, key=lambda problem: (problem.source != self.source, problem.line))))


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """`unknown transport 'smss'; known: sms, pager`: the likely ones first when there are too many to show."""
    names = list(known)
    if len(names) > _KNOWN_SHOWN_MAX:
        likely = difflib.get_close_matches(name, names, n=3)
        names = [*likely, *(other for other in names if other not in likely)]
    shown = ", ".join(names[:_KNOWN_SHOWN_MAX])
    more = f" and {len(names) - _KNOWN_SHOWN_MAX} more" if len(names) > _KNOWN_SHOWN_MAX else ""
    return f"unknown {what} '{name}'; known: {shown or 'none'}{more}"


def unknown_key(name: str, known: Iterable[str]) -> str:
    """`unknown key 'prot'; did you mean 'port'?`, or the list of known keys when nothing is near."""
    names = list(known)
    likely = difflib.get_close_matches(name, names, n=1)
    return f"unknown key '{name}'; did you mean '{likely[0]}'?" if likely else unknown("key", name, names)
