"""The matrix says passed only where a test passed, and finds every mark that pytest would."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT, Source
from tests.trace import __main__ as command
from tests.trace import matrix
from tests.trace.hazards import Chance, Harm, Hazard, Risk, risk_of
from tests.trace.marks import Shown, marked, marks_in, seen_in
from tests.trace.matrix import Line, NoReport, Result

HAZARD = Hazard(
    id="H-01",
    hazard="made up",
    situation="made up",
    causes=["made up"],
    harm=Harm.MINOR,
    before=Chance.PROBABLE,
    after=Chance.REMOTE,
    controls=[{"design": "made up"}],
    open=["something is missing"],
)
WHOLE = Shown("tests/unit/test_x.py", "test_y")
PART = Shown("tests/unit/test_x.py", "test_z", "story")

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_x" name="test_y[a]"/>
<testcase classname="tests.unit.test_x" name="test_y[b]">{y}</testcase>
<testcase classname="tests.unit.test_x" name="test_z[story]">{z}</testcase>
<testcase classname="tests.unit.test_x" name="test_z[another]"><failure/></testcase>
</testsuite></testsuites>"""


def line(tmp_path: Path, y: str = "", z: str = "") -> Line:
    """The matrix's line of `HAZARD` after a run in which the two tests went so."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(y=y, z=z))
    (made,) = matrix.lines([HAZARD], {"H-01": [WHOLE, PART]}, matrix.read(report))
    return made


@pytest.mark.parametrize(
    ("y", "z", "results", "holds"),
    [
        ("", "", [Result.PASSED, Result.PASSED], True),
        ("<failure/>", "", [Result.FAILED, Result.PASSED], False),
        ("<error/>", "", [Result.FAILED, Result.PASSED], False),
        ("<skipped/>", "", [Result.SKIPPED, Result.PASSED], True),
        ("<skipped/>", "<skipped/>", [Result.SKIPPED, Result.SKIPPED], False),
    ],
)
def test_a_hazard_holds_by_what_passed(tmp_path: Path, y: str, z: str, results: list[Result], holds: bool):
    """A test of many parts is as good as its worst; one failure denies the control; what was skipped shows nothing."""
    made = line(tmp_path, y, z)
    assert list(made.results.values()) == results
    assert made.holds is holds


def test_what_was_not_run_shows_nothing(tmp_path: Path):
    """A report of something else is no proof."""
    report = tmp_path / "report.xml"
    report.write_text('<testsuite><testcase classname="tests.other" name="test_y"/></testsuite>')
    (made,) = matrix.lines([HAZARD], {"H-01": [WHOLE, PART]}, matrix.read(report))
    assert (set(made.results.values()), made.holds) == ({Result.NOT_RUN}, False)


def test_the_matrix_as_people_read_it(tmp_path: Path):
    """Hazard, control, open item, tests with their results, and what it comes to."""
    skipped = "\n".join(matrix.written([line(tmp_path, "<skipped/>", "<skipped/>")]))
    assert "H-01  made up: NOT SHOWN, 0 of 2 tests passed" in skipped
    said = "\n".join(matrix.written([line(tmp_path, "<failure/>")]))
    assert "H-01  made up: A TEST FAILED, 1 of 2 tests passed" in said
    assert "      design       made up" in said
    assert "      OPEN         something is missing" in said
    assert "      FAILED       tests/unit/test_x.py::test_y" in said
    assert "      passed       tests/unit/test_x.py::test_z[story]" in said
    assert said.endswith("0 of 1 hazards have a control that a passing test shows; 2 tests; 1 open items")


@pytest.mark.parametrize("text", [None, "", "no XML", "<testsuites/>"])
def test_what_is_no_report_is_refused_in_a_line(tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]):
    """Exit code 2 and the mend; never a matrix of nothing."""
    report = tmp_path / "report.xml"
    if text is not None:
        report.write_text(text)
    with pytest.raises(NoReport, match=r"report\.xml: "):
        matrix.read(report)
    assert command.main(["--from", str(report)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_run_without_the_marked_tests_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Every hazard of the real list is told, and none is shown."""
    report = tmp_path / "report.xml"
    report.write_text('<testsuite><testcase classname="tests.other" name="test_y"/></testsuite>')
    assert command.main(["--from", str(report)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 of ")
    assert command.main(["--form", str(report)]) == 2


def test_risk_is_the_product_of_both_ranks():
    """The corners and the borders of the matrix."""
    assert risk_of(Harm.NEGLIGIBLE, Chance.IMPROBABLE) is Risk.ACCEPTABLE
    assert risk_of(Harm.CRITICAL, Chance.IMPROBABLE) is Risk.ACCEPTABLE
    assert risk_of(Harm.CATASTROPHIC, Chance.IMPROBABLE) is Risk.REDUCE
    assert risk_of(Harm.SERIOUS, Chance.OCCASIONAL) is Risk.REDUCE
    assert risk_of(Harm.CATASTROPHIC, Chance.REMOTE) is Risk.UNACCEPTABLE


MODULE = """
import pytest
pytestmark = [pytest.mark.servers, pytest.mark.hazard("H-01")]

@pytest.mark.hazard("H-02", "H-03")
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.hazard("H-04"))])
async def test_one(x): ...

def test_two(): ...

@pytest.mark.hazard("H-05")
def helper(): ...

class TestThree:
    @pytest.mark.hazard("H-06")
    def test_three(self): ...
"""


def test_marks_are_seen_where_they_count():
    """On tests and modules; in parameters, on a helper, in a class they are counted and not seen."""
    source = Source("tests/unit/test_made_up.py", MODULE, ast.parse(MODULE))
    assert list(marked(source)) == [("test_one", ("H-01", "H-02", "H-03")), ("test_two", ("H-01",))]
    assert (marks_in(source), seen_in(source)) == (5, 2)
    assert list(marked(Source("tests/support/made_up.py", MODULE, ast.parse(MODULE)))) == []


def test_the_source_says_what_pytest_collects():
    """Reading marks and collecting them give the same tests."""
    path = "tests/unit/core/test_watched.py"
    line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "hazard", path]
    plain = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env=plain)
    text = (ROOT / path).read_text()
    seen = [f"{path}::{name}" for name, _ in marked(Source(path, text, ast.parse(text)))]
    assert [word for word in done.stdout.splitlines() if "::" in word] == seen
