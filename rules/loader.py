"""Protocol files into `Protocol`s; every error at once, with file and line."""

from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gateway.domain.words import Condition, Priority
from rules.durations import parse_ms
from rules.model import BagKind, DoseStep, Example, Protocol, Rule, Rung
from rules.predicates import PREDICATES
from rules.yaml_lines import Located, Problem, YamlProblem, load

INHIBITORS = frozenset({"gateway-deaf", "planned-window", "site-silent"})
SAY_WORDS = ("cause", "detail", "kind", "lasted", "since")

DurationMs = Annotated[int, BeforeValidator(lambda value: parse_ms(value) if isinstance(value, str) else value)]


class RulesError(Exception):
    """A rule or protocol file is wrong; `problems` names every place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Silent(_Strict):
    intervals: int = Field(ge=1, le=100)
    at_least: DurationMs


class _DoseStep(_Strict):
    from_day: int = Field(ge=1)
    mcg_per_day: float = Field(gt=0)


class _Bag(_Strict):
    duration: DurationMs
    rate_ml_h: float = Field(gt=0, le=1800)
    fill_ml: float = Field(gt=0, le=20_000)
    prime_ml: float = Field(ge=0)
    shelf_life: DurationMs


class _Example(_Strict):
    title: str
    every: DurationMs
    delivery: str | None = None
    back_dated: DurationMs = 0
    conditions: str | None = None
    heard: str | None = None
    refused: str | None = None
    session: str | None = None
    inhibited: str | None = None
    firing: dict[Priority, DurationMs] | Literal["never"]
    milestones: list[DurationMs] | None = None


class _Rule(_Strict):
    rule: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    when: dict[str, str | float]
    hold: DurationMs | dict[str, DurationMs] = 0
    priority: Priority | dict[Priority, DurationMs] | str
    milestones: list[DurationMs] = []
    unless: list[str] = []
    say: str
    first: str
    playbook: str = ""
    enabled: bool = True
    examples: list[_Example] = Field(min_length=1)


class _File(_Strict):
    protocol: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str
    infusion_days: int = Field(ge=1, le=366)
    break_days: int = Field(ge=0, le=366)
    interruption_limit: DurationMs
    occlusion_volume_ml: float = Field(ge=0, le=10)
    silent: _Silent
    dose_steps: list[_DoseStep] = []
    bags: dict[str, _Bag] = Field(min_length=1)
    conditions: dict[Condition, Priority]
    rules: list[_Rule]


def shipped_text(name: str) -> str | None:
    """The text of a protocol that comes with Dripwatch, or None."""
    file = resources.files("rules").joinpath("catalog", f"{name}.yaml")
    return file.read_text(encoding="utf-8") if file.is_file() else None


def load_protocol(text: str, source: str, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Protocol:
    """A protocol from YAML. `overrides` (rule name → keys of that rule) come from the ward file. Raises `RulesError`."""
    try:
        located = load(text, source)
    except YamlProblem as broken:
        raise RulesError([Problem(source, broken.line, (), broken.message)]) from None
    value = _overridden(located.value, overrides or {})
    try:
        file = _File.model_validate(value)
    except ValidationError as error:
        raise RulesError([_problem_of(located, source, item) for item in error.errors()]) from None
    problems = _cross_check(file, located, source)
    if problems:
        raise RulesError(problems)
    return _protocol_of(file, located)


def _overridden(value: Any, overrides: Mapping[str, Mapping[str, Any]]) -> Any:
    if not overrides or not isinstance(value, dict) or not isinstance(value.get("rules"), list):
        return value
    rules = []
    for rule in value["rules"]:
        patch = overrides.get(str(rule.get("rule")), {}) if isinstance(rule, dict) else {}
        rules.append({**rule, **patch} if patch else rule)
    return {**value, "rules": rules}


def _problem_of(located: Located, source: str, item: Any) -> Problem:
    path = tuple(part for part in item["loc"] if isinstance(part, int) or not _is_branch(part))
    words = {"extra_forbidden": "is not a key here", "missing": "is missing"}.get(
        item["type"], item["msg"].removeprefix("Value error, ")
    )
    return Problem(source, located.line(path), path, words)


def _is_branch(part: str) -> bool:
    """Whether this part of pydantic's path names a branch of a union, not a key of the file."""
    return part in ("str", "int", "float") or part.startswith(("function-", "dict[", "literal[", "str-enum["))


def _cross_check(file: _File, located: Located, source: str) -> list[Problem]:
    problems = []
    names = [rule.rule for rule in file.rules]
    for index, rule in enumerate(file.rules):
        path = ("rules", index)
        if rule.rule in names[:index]:
            line = located.line((*path, "rule"))
            problems.append(Problem(source, line, ("rules", rule.rule), "there is a rule of this name above"))
        for where, words in _rule_problems(rule):
            problems.append(Problem(source, located.line((*path, where)), ("rules", rule.rule, where), words))
    missing = sorted(set(Condition) - set(file.conditions))
    if missing:
        problems.append(Problem(source, located.line(("conditions",)), ("conditions",), f"no priority for {', '.join(missing)}"))
    return problems


def _rule_problems(rule: _Rule) -> list[tuple[str, str]]:
    found = []
    name = rule.when.get("predicate")
    predicate = PREDICATES.get(str(name))
    if predicate is None:
        found.append(("when", f"unknown predicate {name!r}; known: {', '.join(sorted(PREDICATES))}"))
    else:
        unknown = set(rule.when) - {"predicate"} - set(predicate.params)
        if unknown:
            found.append(("when", f"{name} has no parameter {', '.join(sorted(unknown))}"))
        words = sorted(key for key, value in rule.when.items() if key != "predicate" and isinstance(value, str))
        found += [("when", f"{key} is a number") for key in words]
    if isinstance(rule.priority, str) and rule.priority not in (*Priority, "condition"):
        found.append(("priority", f"{rule.priority!r} is not a priority; write high, medium, low, a mapping, or condition"))
    unknown_inhibitors = set(rule.unless) - INHIBITORS
    if unknown_inhibitors:
        found.append(("unless", f"unknown: {', '.join(sorted(unknown_inhibitors))}; known: {', '.join(sorted(INHIBITORS))}"))
    try:
        rule.say.format_map(dict.fromkeys(SAY_WORDS, ""))
    except (KeyError, IndexError, ValueError, AttributeError):
        found.append(("say", f"write only {', '.join(f'{{{word}}}' for word in SAY_WORDS)} in braces"))
    if isinstance(rule.hold, dict):
        odd = set(rule.hold) - set(Priority) - set(Condition)
        found += [("hold", f"{key!r} is neither a priority nor a pump condition") for key in sorted(odd)]
    return found


def _protocol_of(file: _File, located: Located) -> Protocol:
    return Protocol(
        name=file.protocol,
        title=file.title,
        infusion_days=file.infusion_days,
        break_days=file.break_days,
        interruption_limit_ms=file.interruption_limit,
        occlusion_volume_ml=file.occlusion_volume_ml,
        silent_intervals=file.silent.intervals,
        silent_at_least_ms=file.silent.at_least,
        bags={
            name: BagKind(name, bag.duration, bag.rate_ml_h, bag.fill_ml, bag.prime_ml, bag.shelf_life)
            for name, bag in file.bags.items()
        },
        dose_steps=tuple(DoseStep(step.from_day, step.mcg_per_day) for step in file.dose_steps),
        conditions=file.conditions,
        rules=tuple(_rule_of(rule, index, located) for index, rule in enumerate(file.rules) if rule.enabled),
    )


def _rule_of(rule: _Rule, index: int, located: Located) -> Rule:
    predicate = PREDICATES[str(rule.when["predicate"])]
    given = {key: float(value) for key, value in rule.when.items() if key != "predicate"}
    return Rule(
        name=rule.rule,
        predicate=str(rule.when["predicate"]),
        params={**predicate.params, **given},
        hold_ms=rule.hold if isinstance(rule.hold, int) else 0,
        holds_ms=rule.hold if isinstance(rule.hold, dict) else {},
        rungs=_rungs_of(rule.priority),
        milestones_ms=tuple(sorted(rule.milestones)),
        unless=tuple(rule.unless),
        say=rule.say,
        first=rule.first,
        playbook=" ".join(rule.playbook.split()),
        examples=tuple(
            _example_of(example, located.line(("rules", index, "examples", number)))
            for number, example in enumerate(rule.examples)
        ),
    )


def _rungs_of(priority: Priority | Mapping[Priority, int] | str) -> tuple[Rung, ...]:
    if isinstance(priority, Mapping):
        return tuple(Rung(name, after_ms) for name, after_ms in sorted(priority.items(), key=lambda item: item[1]))
    return () if priority == "condition" else (Rung(Priority(priority), 0),)


def _example_of(example: _Example, line: int) -> Example:
    series = example.model_dump(include={"delivery", "conditions", "heard", "refused", "session", "inhibited"}, exclude_none=True)
    if example.back_dated:
        series["back_dated_ms"] = str(example.back_dated)
    firing = example.firing if isinstance(example.firing, dict) else {}
    expected = tuple(sorted(firing.items(), key=lambda item: item[1]))
    milestones = None if example.milestones is None else tuple(example.milestones)
    return Example(example.title, example.every, series, expected, milestones, line)
