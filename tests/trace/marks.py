"""Which tests show which control: the marks `@pytest.mark.hazard("H-07")` in the source, and the scenarios of hazards.yaml.

The source is read and not run: a look at the whole tree takes a second, where collecting it with pytest takes twenty.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.source_tree import Source, sources
from tests.trace.hazards import hazards

STORIES = "tests/scenarios/test_scenarios.py"
STORY_TEST = "test_the_story_goes_as_expected"


@dataclass(frozen=True, order=True)
class Shown:
    """A test that shows a control. `part`: of a parametrised test only this one; else all of it."""

    path: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.path}::{self.name}{f'[{self.part}]' if self.part else ''}"


def shown_by() -> dict[str, list[Shown]]:
    """The tests of each hazard, by its id; ids of marks that no hazard has are there too."""
    found: dict[str, set[Shown]] = {hazard.id: set() for hazard in hazards()}
    for source in sources("tests"):
        for name, ids in marked(source):
            for one in ids:
                found.setdefault(one, set()).add(Shown(source.path, name))
    for hazard in hazards():
        found[hazard.id] |= {Shown(STORIES, STORY_TEST, story) for story in hazard.scenarios}
    return {name: sorted(tests) for name, tests in found.items()}


def of_story(stem: str) -> list[pytest.MarkDecorator]:
    """The mark of a scenario file, as of any test; none where no hazard names it."""
    ids = [hazard.id for hazard in hazards() if stem in hazard.scenarios]
    return [pytest.mark.hazard(*ids)] if ids else []


def marked(source: Source) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(test, ids of its hazards) of every marked test of a file: by its decorators, and by the module's `pytestmark`."""
    if not source.path.rpartition("/")[2].startswith("test_"):
        return
    of_all = tuple(one for node in source.tree.body if _is_pytestmark(node) for one in _ids(node))
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            own = tuple(one for decorator in node.decorator_list if _is_mark(decorator) for one in _ids(decorator))
            if own or of_all:
                yield node.name, (*of_all, *own)


def marks_in(source: Source) -> int:
    """How many hazard marks a file has, wherever they stand: one that `marked` does not see would prove nothing."""
    return sum(_is_mark(node) for node in ast.walk(source.tree))


def seen_in(source: Source) -> int:
    """How many of them `marked` sees."""
    whole = [below for node in source.tree.body if _is_pytestmark(node) for below in ast.walk(node)]
    tests = [node for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    own = [decorator for node in tests if node.name.startswith("test_") for decorator in node.decorator_list]
    return sum(_is_mark(node) for node in (*whole, *own))


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(name, ast.Name) and name.id == "pytestmark" for name in node.targets)


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "pytest.mark.hazard"


def _ids(place: ast.AST) -> Iterator[str]:
    for node in ast.walk(place):
        if isinstance(node, ast.Call) and _is_mark(node):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))
