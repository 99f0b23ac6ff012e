"""The laws of the source tree. A rule that is not a test is a wish."""

import ast
import re
from collections.abc import Iterable

import pytest

from tests.support.source_tree import CORE, PACKAGES, Source, functions, imported, sources, spoken, texts, used_names

FILE_LINES_MAX = 400
FILE_LINES_GOAL = 300
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_GOAL = 40

# How many may miss the goal today. These numbers only ever fall; a change that makes one smaller writes the smaller one here.
FILES_OVER_GOAL = 1
FUNCTIONS_OVER_GOAL = 0

# (a name that is banned, what to use instead); a trailing dot bans the whole module.
BANNED = (
    ("datetime.date.today", "time is an argument"),
    ("datetime.datetime.now", "time is an argument"),
    ("datetime.datetime.today", "time is an argument"),
    ("datetime.datetime.utcnow", "time is an argument"),
    ("time.time", "time is an argument"),
    ("time.time_ns", "time is an argument"),
    ("uuid.uuid1", "keys are derived from the journal"),
    ("uuid.uuid4", "keys are derived from the journal"),
    ("random.", "randomness breaks replay"),
)

# Where the world comes in: the one clock, and the commands that people type.
MAY_READ_A_CLOCK = ("gateway/outside/wall_clock.py", "gateway/field/", "gateway/__main__.py")
MAY_PRINT = ("gateway/field/", "gateway/__main__.py")

WORLDLY = {"asyncio", "logging", "os", "random", "socket", "sqlite3", "threading", "time"}
SERVICES = {"aiomqtt", "apprise", "fastapi", "httpx", "influxdb_client", "paho", "uvicorn"}

# Written in two halves, so that this file keeps its own laws.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
REGISTRY = re.compile(
    r"py" r"pi\.org|pythonhosted" r"\.org|registry\.npm" r"js\.org|registry\.yarn" r"pkg\.com"
    r"|--(?:extra-)?index" r"-url|--find" r"-links|--trusted" r"-host"
)  # fmt: skip
THIS_MACHINE = re.compile(r"(?<![\w.-])/(?:work|root)/")

# No text of ours ever tells anybody to flush a line: that would push a bolus into the patient.
FLUSH = re.compile("flush|沖管|沖洗|冲管|冲洗", re.IGNORECASE)


def _listed(found: Iterable[object]) -> str:
    """One finding a line: pytest would cut a long list."""
    return "".join(f"\n  {item}" for item in found)


def _where(source: Source, line: int) -> str:
    return f"{source.path}:{line}"


def test_no_file_is_too_long() -> None:
    """No Python file has more than 400 lines, and few more than 300."""
    lengths = [(source.text.count("\n"), source.path) for source in sources()]
    too_long = [item for item in lengths if item[0] > FILE_LINES_MAX]
    assert not too_long, _listed(too_long)
    over = [item for item in lengths if item[0] > FILE_LINES_GOAL]
    assert len(over) <= FILES_OVER_GOAL, _listed(over)


def test_no_function_is_too_long() -> None:
    """No function has more than 70 lines without its docstring, and few more than 40."""
    lengths = [function for source in sources() for function in functions(source)]
    too_long = [function for function in lengths if function.lines > FUNCTION_LINES_MAX]
    assert not too_long, _listed(too_long)
    over = [function for function in lengths if function.lines > FUNCTION_LINES_GOAL]
    assert len(over) <= FUNCTIONS_OVER_GOAL, _listed(over)


def _banned(name: str) -> str:
    """What to use instead; empty for an innocent name."""
    for bad, instead in BANNED:
        if name == bad or (bad.endswith(".") and name.startswith(bad)):
            return instead
    return ""


def test_only_one_place_reads_a_clock_or_rolls_a_die() -> None:
    """Wall time, random numbers and random ids come in at named places only; a seeded `random.Random` is an argument."""
    found = [
        f"{_where(source, line)} {name}: {instead}"
        for source in sources(*PACKAGES)
        if not source.path.startswith(MAY_READ_A_CLOCK)
        for line, name in used_names(source)
        if (instead := _banned(name)) and name != "random.Random"
    ]
    assert not found, _listed(found)


def test_only_commands_print() -> None:
    """The terminal belongs to the commands; everything else speaks through its results."""
    found = [
        _where(source, node.lineno)
        for source in sources(*PACKAGES)
        if not source.path.startswith(MAY_PRINT)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not found, _listed(found)


def test_the_core_knows_no_world() -> None:
    """Decisions import no clock, no disk, no network, no log and no service."""
    found = [
        f"{_where(source, line)} {name}"
        for source in sources(*CORE)
        for line, name in imported(source)
        if name.partition(".")[0] in WORLDLY | SERVICES
    ]
    assert not found, _listed(found)


@pytest.mark.hazard("H-17")
def test_no_text_says_flush() -> None:
    """Neither rules, nor pages, nor the console tell anybody to flush a line."""
    python = [
        f"{_where(source, line)} {said}" for source in sources(*PACKAGES) for line, said in spoken(source) if FLUSH.search(said)
    ]
    others = [
        f"{path}:{number} {line.strip()}"
        for path, text in texts().items()
        if path.startswith(tuple(f"{package}/" for package in PACKAGES)) and not path.endswith((".py", ".js", ".css"))
        for number, line in enumerate(text.splitlines(), 1)
        if FLUSH.search(line) and not line.lstrip().startswith("#")
    ]
    assert not python + others, _listed(python + others)


@pytest.mark.parametrize(
    ("law", "pattern"),
    [("nothing is left unfinished", UNFINISHED), ("no registry is named", REGISTRY), ("no path of one machine", THIS_MACHINE)],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_no_file_contains(law: str, pattern: re.Pattern[str]) -> None:
    """No text file has a note of unfinished work, a package registry's address, or a path of one machine."""
    found = [
        f"{path}:{number} {line.strip()[:100]}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, law + _listed(found)


def test_every_test_says_what_it_shows() -> None:
    """Each test has a sentence as docstring, and no two tests of a file share a name."""
    silent, twice = [], []
    for source in sources("tests"):
        tests = [node for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        tests = [node for node in tests if node.name.startswith("test_")]
        silent += [_where(source, node.lineno) for node in tests if not ast.get_docstring(node)]
        twice += [source.path for _ in range(len(tests) - len({node.name for node in tests}))]
    assert not silent, _listed(silent)
    assert not twice, _listed(twice)


def test_no_test_is_skipped() -> None:
    """A server that is missing is a failure with its mend, and a known bug is mended: nothing is skipped or expected to fail.

    The one exception needs real messages that are not ours to ship (DRIPWATCH_SAMPLES): it says so, and how to run it.
    """
    names = ("pytest.skip", "pytest.xfail", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail")
    found = [
        f"{_where(source, line)} {name}" for source in sources("tests") for line, name in used_names(source) if name in names
    ]
    with_samples = [source.path for source in sources("tests") if "DRIPWATCH_SAMPLES" in source.text]
    found = [item for item in found if not ("skipif" in item and item.startswith(tuple(map(str, with_samples))))]
    assert not found, _listed(found)


def test_the_laws_see_through_aliases_and_docstrings() -> None:
    """The reading of source files, on a file that breaks several laws in roundabout ways."""
    text = '''
"""Never say flush."""
from datetime import datetime as dt
import time as t

def late():
    """Two lines of docstring
    do not count."""
    return dt.now(), t.time(), t.monotonic(), "please flush"
'''
    source = Source("x.py", text, ast.parse(text))
    assert [name for _, name in used_names(source) if _banned(name)] == ["datetime.datetime.now", "time.time"]
    assert [said for _, said in spoken(source)] == ["please flush"]
    assert [(function.name, function.lines) for function in functions(source)] == [("late", 2)]
    assert [name for _, name in imported(source)] == ["datetime.datetime", "time"]
