"""Protocol files into `Protocol`s; every error at once, with file and line."""

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pydantic import ValidationError

from gateway.domain.locale import TRANSLATED, Locale
from gateway.domain.words import Condition, Priority
from rules.extending import Extended, Find
from rules.model import BagKind, DoseStep, Example, LimitWords, Protocol, Rule, RuleWords, Rung
from rules.predicates import PREDICATES
from rules.protocol_file import ACKNOWLEDGED, DEFAULT, OWN, ExampleFile, ProtocolFile, RuleFile, SeriesFile
from rules.yaml_lines import Problem

INHIBITORS = frozenset({"gateway-deaf", "site-silent"})
SAY_WORDS = ("by", "cause", "detail", "kind", "lasted", "since")

_UNION = re.compile(r"(?:function-|dict\[|literal\[|str-enum\[|str$|int$|float$)")  # branches of a union: no place in the file


class RulesError(Exception):
    """A rule or protocol file is wrong; `problems` names every place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def shipped_text(name: str) -> str | None:
    """The text of a protocol that comes with Dripwatch, or None."""
    file = resources.files("rules").joinpath("catalog", f"{name}.yaml")
    return file.read_text(encoding="utf-8") if file.is_file() else None


def load_protocol(
    text: str, source: str, overrides: Mapping[str, Mapping[str, Any]] | None = None, find: Find = shipped_text
) -> Protocol:
    """A protocol from YAML. `overrides` (rule name → keys of that rule) come from the ward file. Raises `RulesError`.

    `find` gives the text of a protocol that this one extends.
    """
    document = Extended(text, source, find)
    if document.problems:
        raise RulesError(document.problems)
    value = _overridden(document.value, overrides or {})
    try:
        file = ProtocolFile.model_validate(value)
    except ValidationError as error:
        raise RulesError([_problem_of(document, source, item) for item in error.errors()]) from None
    problems = _cross_check(file, document, source)
    if problems:
        raise RulesError(problems)
    return _protocol_of(file, document)


def self_contained(text: str, source: str, find: Find = shipped_text) -> str:
    """The same protocol as one text that extends nothing; unchanged where it extends nothing. Raises `RulesError`."""
    document = Extended(text, source, find)
    if document.problems:
        raise RulesError(document.problems)
    return document.text() if document.is_extended else text


def _overridden(value: Any, overrides: Mapping[str, Mapping[str, Any]]) -> Any:
    if not overrides or not isinstance(value, dict) or not isinstance(value.get("rules"), list):
        return value
    rules = []
    for rule in value["rules"]:
        patch = overrides.get(str(rule.get("rule")), {}) if isinstance(rule, dict) else {}
        rules.append({**rule, **patch} if patch else rule)
    return {**value, "rules": rules}


def _problem_of(document: Extended, source: str, item: Any) -> Problem:
    path = tuple(part for part in item["loc"] if isinstance(part, int) or not _UNION.match(part))
    words = {"extra_forbidden": "is not a key here", "missing": "is missing"}.get(
        item["type"], item["msg"].removeprefix("Value error, ")
    )
    return Problem(source, document.line(path), path, words)


def _cross_check(file: ProtocolFile, document: Extended, source: str) -> list[Problem]:
    problems = []
    names = [rule.rule for rule in file.rules]
    for index, rule in enumerate(file.rules):
        path = ("rules", index)
        if rule.rule in names[:index]:
            line = document.line((*path, "rule"))
            problems.append(Problem(source, line, ("rules", rule.rule), "there is a rule of this name above"))
        for where, words in _rule_problems(rule):
            line = document.line((*path, *where.split(".")))
            problems.append(Problem(source, line, ("rules", rule.rule, where), words))
    missing = sorted(set(Condition) - set(file.conditions))
    if missing:
        problems.append(Problem(source, document.line(("conditions",)), ("conditions",), f"no priority for {', '.join(missing)}"))
    return problems


def _rule_problems(rule: RuleFile) -> list[tuple[str, str]]:
    found = _question_problems(rule)
    unknown_inhibitors = set(rule.unless) - INHIBITORS
    if unknown_inhibitors:
        found.append(("unless", f"unknown: {', '.join(sorted(unknown_inhibitors))}; known: {', '.join(sorted(INHIBITORS))}"))
    words = f"write only {', '.join(f'{{{word}}}' for word in SAY_WORDS)} in braces"
    found += [(f"say.{locale.value}", words) for locale, text in rule.say.items() if not _can_be_filled(text)]
    odd_names = set(rule.first) - set(Condition) - {DEFAULT}
    found += [("first", f"{key!r} is not a pump condition") for key in sorted(odd_names)]
    if DEFAULT not in rule.first:
        found.append(("first", f"needs {DEFAULT}, for all other conditions"))
    if isinstance(rule.hold, dict):
        odd = set(rule.hold) - set(Priority) - set(Condition)
        found += [("hold", f"{key!r} is neither a priority nor a pump condition") for key in sorted(odd)]
    return found


def _can_be_filled(say: str) -> bool:
    try:
        say.format_map(dict.fromkeys(SAY_WORDS, ""))
    except (KeyError, IndexError, ValueError, AttributeError):
        return False
    return True


def _question_problems(rule: RuleFile) -> list[tuple[str, str]]:
    """What is wrong with `when`, and with a priority that does not go with it."""
    name = rule.when.get("predicate")
    predicate = PREDICATES.get(str(name))
    if predicate is None:
        return [("when", f"unknown predicate {name!r}; known: {', '.join(sorted(PREDICATES))}")]
    found = []
    unknown = set(rule.when) - {"predicate"} - set(predicate.params)
    if unknown:
        found.append(("when", f"{name} has no parameter {', '.join(sorted(unknown))}"))
    words = sorted(key for key, value in rule.when.items() if key != "predicate" and isinstance(value, str))
    found += [("when", f"{key} is a number") for key in words]
    if isinstance(rule.priority, str) and rule.priority not in (*Priority, OWN):
        found.append(("priority", f"{rule.priority!r} is not a priority; write high, medium, low, a mapping, or {OWN}"))
    elif rule.priority == OWN and not predicate.priorities:
        found.append(("priority", f"{name} chooses no priority of its own; write high, medium, low, or a mapping"))
    return found


def _protocol_of(file: ProtocolFile, document: Extended) -> Protocol:
    return Protocol(
        name=file.protocol,
        title=file.title,
        infusion_days=file.infusion_days,
        break_days=file.break_days,
        interruption_limit_ms=file.interruption_limit,
        occlusion_volume_ml=file.occlusion_volume_ml,
        battery_percent_h=file.battery_percent_h,
        silent_intervals=file.silent.intervals,
        silent_at_least_ms=file.silent.at_least,
        start_up_delay_ms=file.start_up_delay,
        scale_tolerance_g=file.scale_tolerance_g,
        past_limit=file.past_limit[Locale.EN],
        past_limit_short=file.past_limit_short[Locale.EN],
        past_limit_first=file.past_limit_first[Locale.EN],
        limit_words={locale: _limit_words_of(file, locale) for locale in TRANSLATED},
        checklist=tuple(file.checklist),
        bags={
            name: BagKind(name, bag.duration, bag.rate_ml_h, bag.fill_ml, bag.prime_ml, bag.shelf_life)
            for name, bag in file.bags.items()
        },
        dose_steps=tuple(DoseStep(step.from_day, step.mcg_per_day, step.mcg_per_m2_day) for step in file.dose_steps),
        conditions=file.conditions,
        rules=tuple(_rule_of(rule, index, document) for index, rule in enumerate(file.rules) if rule.enabled),
    )


def _rule_of(rule: RuleFile, index: int, document: Extended) -> Rule:
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
        say=rule.say[Locale.EN],
        first=rule.first[DEFAULT][Locale.EN],
        firsts={key: words[Locale.EN] for key, words in rule.first.items() if key != DEFAULT},
        translations={locale: _words_of(rule, locale) for locale in TRANSLATED},
        playbook=" ".join(rule.playbook.split()),
        ends_when_acked=rule.ends == ACKNOWLEDGED,
        examples=tuple(
            _example_of(example, document.line(("rules", index, "examples", number)))
            for number, example in enumerate(rule.examples)
        ),
    )


def _limit_words_of(file: ProtocolFile, locale: Locale) -> LimitWords:
    said = (file.past_limit, file.past_limit_short, file.past_limit_first)
    return LimitWords(*(words.get(locale, "") for words in said))


def _words_of(rule: RuleFile, locale: Locale) -> RuleWords:
    firsts = {key: words[locale] for key, words in rule.first.items() if locale in words}
    return RuleWords(rule.say.get(locale, ""), firsts.pop(DEFAULT, ""), firsts)


def _rungs_of(priority: Priority | Mapping[Priority, int] | str) -> tuple[Rung, ...]:
    if isinstance(priority, Mapping):
        return tuple(Rung(name, after_ms) for name, after_ms in sorted(priority.items(), key=lambda item: item[1]))
    return () if priority == OWN else (Rung(Priority(priority), 0),)


def _example_of(example: ExampleFile, line: int) -> Example:
    series = example.model_dump(include=set(SeriesFile.model_fields), exclude_none=True)
    if example.back_dated:
        series["back_dated_ms"] = str(example.back_dated)
    firing = example.firing if isinstance(example.firing, dict) else {}
    expected = tuple(sorted(firing.items(), key=lambda item: item[1]))
    milestones = None if example.milestones is None else tuple(example.milestones)
    return Example(example.title, example.every, series, expected, milestones, example.over, line)
