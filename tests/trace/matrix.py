"""The matrix hazard → control → tests → last result, from the report of a test run (JUnit's XML, as pytest writes it)."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.trace.hazards import Hazard
from tests.trace.marks import Shown


class Result(StrEnum):
    """What became of a test. One with many parts is as good as its worst part."""

    PASSED = "passed"
    FAILED = "FAILED"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


class NoReport(Exception):
    """The file is no report of a test run; the words say why."""


@dataclass(frozen=True)
class Line:
    """One hazard with the results of its tests."""

    hazard: Hazard
    results: Mapping[Shown, Result]

    @property
    def holds(self) -> bool:
        """Some test shows the control, and none denies it."""
        return Result.PASSED in self.results.values() and Result.FAILED not in self.results.values()


def read(report: Path) -> dict[tuple[str, str, str], Result]:
    """(module, test, part) → result of everything that the report tells of. Raises `NoReport`."""
    try:
        tree = ET.parse(report)  # noqa: S314  our own
    except OSError as error:
        raise NoReport(f"{report}: {error.strerror}; `make trace` without --from runs the tests and writes one") from error
    except ET.ParseError as error:
        raise NoReport(f"{report}: no report of a test run ({error}); pytest --junitxml=FILE writes one") from error
    found: dict[tuple[str, str, str], Result] = {}
    for node in tree.iter("testcase"):
        name, _, part = node.get("name", "").removesuffix("]").partition("[")
        children = {child.tag for child in node}
        result = Result.FAILED if children & {"failure", "error"} else Result.SKIPPED if "skipped" in children else Result.PASSED
        key = (node.get("classname", ""), name, part)
        found[key] = Result.FAILED if found.get(key) is Result.FAILED else result  # teardown's error is a node of its own
    if not found:
        raise NoReport(f"{report}: tells of no test; pytest --junitxml=FILE writes one")
    return found


def lines(
    hazards: Sequence[Hazard], tests: Mapping[str, Sequence[Shown]], told: Mapping[tuple[str, str, str], Result]
) -> list[Line]:
    """One line a hazard."""
    parts: dict[tuple[str, str], list[Result]] = {}
    for (module, name, _), result in told.items():
        parts.setdefault((module, name), []).append(result)
    return [Line(hazard, {test: _result(test, told, parts) for test in tests[hazard.id]}) for hazard in hazards]


def _result(
    test: Shown, told: Mapping[tuple[str, str, str], Result], parts: Mapping[tuple[str, str], Sequence[Result]]
) -> Result:
    module = test.path.removesuffix(".py").replace("/", ".")
    if test.part:
        return told.get((module, test.name, test.part), Result.NOT_RUN)
    found = parts.get((module, test.name), ())
    for worst in (Result.FAILED, Result.SKIPPED, Result.PASSED):
        if worst in found:
            return worst
    return Result.NOT_RUN


def written(matrix: Sequence[Line]) -> Iterator[str]:
    """The matrix as people read it, and what it comes to."""
    for line in matrix:
        passed = sum(result is Result.PASSED for result in line.results.values())
        holds = "ok" if line.holds else "A TEST FAILED" if Result.FAILED in line.results.values() else "NOT SHOWN"
        yield f"{line.hazard.id}  {line.hazard.hazard}: {holds}, {passed} of {len(line.results)} tests passed"
        for control in line.hazard.controls:
            for kind, words in control.items():
                yield f"      {kind:<11}  {words}"
        for words in line.hazard.open:
            yield f"      OPEN         {words}"
        for test, result in line.results.items():
            yield f"      {result:<11}  {test}"
    shown = sum(line.holds for line in matrix)
    tests = {test for line in matrix for test in line.results}
    missing = sum(len(line.hazard.open) for line in matrix)
    yield f"{shown} of {len(matrix)} hazards have a control that a passing test shows; {len(tests)} tests; {missing} open items"
