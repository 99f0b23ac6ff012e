"""A scenario file, read and checked: every mistake is named with its line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.config.load import load_ward_mapping, with_calendars
from gateway.config.merge import merge_patch
from gateway.config.problems import ConfigError
from gateway.config.protocols import read_protocols
from gateway.config.settings import LoadedWard
from gateway.domain.instants import Instant
from gateway.scenario.values import wrong_page, wrong_values
from gateway.scenario.vocabulary import COMMAND_KEYS, ENROL_KEYS, EXPECT_KEYS, PERSON_VERBS, PUMP_VERBS, STATES, VERBS
from rules.durations import parse_ms
from rules.yaml_lines import Located, Problem, YamlProblem, load

DEFAULT_START = "2026-03-02T08:00:00+08:00"
DEFAULT_WITHIN_MS = 2_000


class ScenarioError(Exception):
    """The file is not a scenario; `problems` names every place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its instant, its verb (`pump.alarm`, `expect`, …), all its keys, its line in the file."""

    at_ms: int
    verb: str
    keys: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that must hold within `within_ms` after the step's instant."""

    kind: str
    keys: Mapping[str, Any]
    at_ms: int
    within_ms: int
    line: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story, ready to be run."""

    file: str
    title: str
    start_at: Instant
    ward: LoadedWard
    ward_raw: Mapping[str, Any]
    protocols: Mapping[str, str]
    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...] = field(default=())


def read_scenario(file: Path) -> Scenario:
    """Read one file. Raises `ScenarioError` naming every mistake with its line."""
    source = str(file)
    try:
        located = load(file.read_text(encoding="utf-8"), source)
    except YamlProblem as found:
        raise ScenarioError([found.problem]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError([Problem(source, 0, (), f"cannot be read: {error}")]) from None
    return _Reader(located, file).scenario()


class _Reader:
    """Collects everything that is wrong with one file before it gives up."""

    def __init__(self, located: Located, file: Path) -> None:
        self.located, self.file, self.problems = located, file, list[Problem]()
        self.value: dict[str, Any] = located.value if isinstance(located.value, dict) else {}

    def scenario(self) -> Scenario:
        for key in self.value.keys() - {"title", "ward", "ward_patch", "start", "steps"}:
            self._wrong((key,), "is not a key of a scenario; keys: title, ward, ward_patch, start, steps")
        steps = tuple(self._steps())
        expectations = tuple(e for step in steps if step.verb == "expect" for e in self._expectations(step))
        start_at = self._start()
        raw, ward, protocols = self._ward()
        self._check_values(steps, raw, ward)
        if self.problems or ward is None:
            raise ScenarioError(self.problems)
        title = str(self.value.get("title", self.file.stem))
        return Scenario(str(self.file), title, start_at, ward, raw, protocols, steps, expectations)

    def _start(self) -> Instant:
        text = str(self.value.get("start", DEFAULT_START))
        try:
            start = datetime.fromisoformat(text)
        except ValueError:
            start = None
        if start is None or start.tzinfo is None:
            self._wrong(("start",), f"{text!r} is not an instant; write it like {DEFAULT_START}")
            return 0
        return round(start.timestamp() * 1000)

    def _ward(self) -> tuple[Mapping[str, Any], LoadedWard | None, Mapping[str, str]]:
        given, base_dir = self.value.get("ward"), self.file.parent
        try:
            if isinstance(given, str):
                base_dir = (base_dir / given).parent
                given = load((self.file.parent / given).read_text(encoding="utf-8"), given).value
            if not isinstance(given, dict):
                self._wrong(("ward",), "a scenario names its ward file, or holds the ward as a mapping")
                return {}, None, {}
            raw = with_calendars(merge_patch(given, self.value.get("ward_patch") or {}), "ward", base_dir)
            ward = load_ward_mapping(raw, "ward")
            return raw, ward, read_protocols(ward.protocols, ward.rule_overrides, base_dir)
        except OSError as error:
            self._wrong(("ward",), f"the ward file cannot be read: {error}")
        except YamlProblem as found:
            self.problems.append(found.problem)
        except ConfigError as error:
            self.problems += error.problems
        return {}, None, {}

    def _check_values(self, steps: tuple[Step, ...], raw: Mapping[str, Any], ward: LoadedWard | None) -> None:
        enrolled = set[str]()
        for step in steps:
            given = step.keys.get(step.verb) if step.verb in ("expect", "allow") else None
            pages = given if isinstance(given, list) else [given] if given is not None else []
            found = [wrong for page in pages if isinstance(page, dict) for wrong in wrong_page(page)]
            if step.verb == "allow" and not all(isinstance(page, dict) and "page" in page for page in pages):
                found.append(("allow", "names a page: {page: PERSON, …}"))
            found += wrong_values(step.verb, step.keys, ward, enrolled)
            if step.verb in ("enrol", "record"):  # `record` may swap a pump, or begin a cycle with another
                enrolled.add(str(step.keys[step.verb].get("pump")))
            if step.keys.get("gateway") == "reload":
                raw = merge_patch(raw, step.keys.get("ward_patch") or {})
                try:
                    load_ward_mapping(raw, "ward")
                except ConfigError as error:
                    found += [("ward_patch", str(problem)) for problem in error.problems]
            self.problems += [Problem(str(self.file), step.line, (key,), message) for key, message in found]

    def _steps(self) -> list[Step]:
        steps, before_ms = [], 0
        given = self.value.get("steps")
        if not isinstance(given, list) or not given:
            self._wrong(("steps",), "a scenario has a list of steps")
            return []
        for index, keys in enumerate(given):
            path = ("steps", index)
            if not isinstance(keys, dict):
                self._wrong(path, "a step is a mapping such as {at: 5m, pump: p1, alarm: air-in-line}")
                continue
            at_ms = self._duration((*path, "at"), keys.get("at"))
            if at_ms < before_ms:
                self._wrong((*path, "at"), f"{keys['at']} comes before the step above; `at` never decreases")
            before_ms = max(before_ms, at_ms)
            verb = self._verb(path, keys)
            if verb:
                rest = {key: value for key, value in keys.items() if key != "at"}
                steps.append(Step(at_ms, verb, rest, self.located.line(path)))
        return steps

    def _verb(self, path: tuple[str | int, ...], keys: Mapping[str, Any]) -> str:
        found = [verb for verb in VERBS if verb in keys]
        if len(found) != 1:
            known = ", ".join(VERBS)
            self._wrong(path, f"a step has exactly one verb; here: {', '.join(found) or 'none'}; verbs: {known}")
            return ""
        verb = found[0]
        inner = {"pump": PUMP_VERBS, "person": PERSON_VERBS}.get(verb)
        if inner is not None:
            return self._inner_verb(path, keys, verb, inner)
        self._check_keys(path, keys, {"at", verb} | VERBS[verb])
        if verb in COMMAND_KEYS:
            self._check_command((*path, verb), keys[verb], *COMMAND_KEYS[verb])
        if verb == "enrol":
            self._check_keys((*path, verb), keys[verb] if isinstance(keys[verb], dict) else {}, ENROL_KEYS)
            if not isinstance(keys[verb], dict) or not {"course", "pump"} <= keys[verb].keys():
                self._wrong((*path, verb), "enrol names at least a course and a pump")
                return ""
        return verb

    def _check_command(
        self, path: tuple[str | int, ...], given: Any, needed: frozenset[str], allowed: frozenset[str] | None
    ) -> None:
        if not isinstance(given, dict) or not needed <= given.keys():
            self._wrong(path, f"is a mapping with at least: {', '.join(sorted(needed))}")
        elif allowed is not None:
            self._check_keys(path, given, needed | allowed)
            if "for" in needed:
                self._duration((*path, "for"), given["for"])
            elif len(given) == len(needed):
                self._wrong(path, f"says at least one of: {', '.join(sorted(allowed))}")

    def _inner_verb(
        self, path: tuple[str | int, ...], keys: Mapping[str, Any], outer: str, verbs: Mapping[str, frozenset[str]]
    ) -> str:
        found = [verb for verb in verbs if verb in keys]
        if len(found) != 1:
            self._wrong(path, f"a {outer} step has exactly one of: {', '.join(verbs)}")
            return ""
        self._check_keys(path, keys, {"at", outer, found[0]} | verbs[found[0]])
        return f"{outer}.{found[0]}"

    def _expectations(self, step: Step) -> list[Expectation]:
        given = step.keys["expect"]
        found = []
        for keys in given if isinstance(given, list) else [given]:
            kind = next((kind for kind in EXPECT_KEYS if isinstance(keys, dict) and kind in keys), None)
            if kind is None:
                self._wrong_at(step.line, f"an expectation names one of: {', '.join(EXPECT_KEYS)}")
                continue
            odd = keys.keys() - EXPECT_KEYS[kind] - {kind}
            if odd:
                self._wrong_at(
                    step.line, f"{kind}: unknown {', '.join(sorted(odd))}; known: {', '.join(sorted(EXPECT_KEYS[kind]))}"
                )
            if kind in STATES and "is" in keys and keys["is"] not in STATES[kind]:
                self._wrong_at(step.line, f"{kind} is one of: {', '.join(sorted(STATES[kind]))}; not {keys['is']!r}")
            if kind in ("incident", "delivery", "alert") and "is" not in keys:
                self._wrong_at(step.line, f"{kind} needs `is`")
            within_ms = self._duration_at(step.line, keys["within"]) if "within" in keys else DEFAULT_WITHIN_MS
            found.append(Expectation(kind, keys, step.at_ms, within_ms, step.line))
        return found

    def _check_keys(self, path: tuple[str | int, ...], keys: Mapping[str, Any], allowed: frozenset[str] | set[str]) -> None:
        for key in keys.keys() - allowed:
            self._wrong((*path, key), f"is not known here; known: {', '.join(sorted(allowed))}")

    def _duration(self, path: tuple[str | int, ...], value: Any) -> int:
        try:
            return parse_ms(str(value))
        except ValueError as error:
            self._wrong(path, str(error))
            return 0

    def _duration_at(self, line: int, value: Any) -> int:
        try:
            return parse_ms(str(value))
        except ValueError as error:
            self._wrong_at(line, str(error))
            return 0

    def _wrong(self, path: tuple[str | int, ...], message: str) -> None:
        self.problems.append(Problem(str(self.file), self.located.line(path), path, message))

    def _wrong_at(self, line: int, message: str) -> None:
        self.problems.append(Problem(str(self.file), line, ("expect",), message))
