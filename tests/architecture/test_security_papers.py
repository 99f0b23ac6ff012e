"""Every hazard has a test and every threat an answer; the papers are made from the code, and name nothing that is not there."""

import re

import pytest

from tests.support.source_tree import ROOT, sources
from tests.trace import paper
from tests.trace.hazards import Hazard, Risk, hazards
from tests.trace.marks import marks_in, seen_in, shown_by

HAZARDS_LEAST = 40
THREATS = (ROOT / "docs" / "security" / "threat-model.md").read_text(encoding="utf-8")

# What can be done to which kind of element of a data flow: STRIDE by element, the usual table.
STRIDE = {"entity": "SR", "process": "STRIDE", "store": "TRID", "flow": "TID"}


def test_every_hazard_has_a_test_and_every_mark_a_hazard() -> None:
    """A control that nothing shows is a wish; a mark for a hazard that is not there is a typing error."""
    known, tests = {hazard.id for hazard in hazards()}, shown_by()
    assert [name for name in known if not tests[name]] == []
    assert sorted(set(tests) - known) == []


def test_no_mark_stands_where_it_is_not_seen() -> None:
    """On a helper, in a class or in a parameter list it would look like proof and be none."""
    unseen = [
        source.path
        for source in sources("tests")
        if source.path.rpartition("/")[2].startswith("test_") and marks_in(source) != seen_in(source)
    ]
    assert unseen == []


def test_the_list_of_hazards_is_whole() -> None:
    """Numbered without a hole, at least forty, each once, and their scenarios are files."""
    ids = [hazard.id for hazard in hazards()]
    assert ids == [f"H-{number:02}" for number in range(1, len(ids) + 1)]
    assert len(ids) >= HAZARDS_LEAST
    stories = {name for hazard in hazards() for name in hazard.scenarios}
    assert [name for name in stories if not (ROOT / "tests" / "scenarios" / f"{name}.yaml").is_file()] == []


@pytest.mark.parametrize("hazard", hazards(), ids=lambda hazard: hazard.id)
def test_what_is_left_is_less_and_what_is_too_much_is_open(hazard: Hazard) -> None:
    """Controls lower the chance; where the risk that is left is not acceptable, an open item says what is missing."""
    assert hazard.after.rank < hazard.before.rank
    assert hazard.risk_after is not Risk.UNACCEPTABLE or hazard.open


def test_the_hazard_analysis_is_made_from_the_list() -> None:
    """`python -m tests.trace paper` writes it."""
    assert paper.FILE.read_text(encoding="utf-8") == paper.text(), "write it anew: .venv/bin/python -m tests.trace paper"


def elements() -> list[tuple[str, str, list[list[str]]]]:
    """(title, kind, rows of its table) of every element of the threat model."""
    found = []
    for title, kind, table in re.findall(r"^### (.+?) \((\w+)\)\n(.*?)(?=^#|\Z)", THREATS, re.MULTILINE | re.DOTALL):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")]
        found.append((title, kind, [row for row in rows if len(row[0]) == 1]))
    return found


@pytest.mark.parametrize(("title", "kind", "rows"), elements(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_element_has_its_threats(title: str, kind: str, rows: list[list[str]]) -> None:
    """Each letter that applies to this kind of element is spoken of, with a control and its test, or as an open item."""
    assert {row[0] for row in rows} == set(STRIDE[kind]), title
    for letter, threat, control, shown in rows:
        assert threat, (title, letter)
        assert control, (title, letter)
        assert shown.startswith("OPEN") or "`" in shown, (title, letter, "names no test and is not OPEN")


def test_the_threat_model_counts_its_open_items() -> None:
    """The number at its head is the number in its tables."""
    said = re.search(r"\*\*Open items: (\d+)\.\*\*", THREATS)
    assert said is not None
    assert int(said[1]) == sum("OPEN" in row[3] for _, _, rows in elements() for row in rows)


def test_the_threat_model_names_tests_that_are_there() -> None:
    """A test that was renamed is no longer what shows the control."""
    tests = {
        f"{source.path.rpartition('/')[2].removesuffix('.py')}::{name}"
        for source in sources("tests")
        for name in re.findall(r"^(?:async )?def (test_\w+)", source.text, re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+::test_\w+)`", THREATS))
    assert named
    assert sorted(named - tests) == []


@pytest.mark.hazard("H-67")
def test_the_stance_stands_in_front() -> None:
    """Whoever meets Dripwatch reads first what it is not: README, papers, console, reports, and the first decision."""
    primary = "pump's own alarm stays primary"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert primary in readme.partition("\n## ")[0]
    assert "not a certified medical device" in readme.partition("\n## ")[0]
    for path in ("docs/security/README.md", "docs/adr/0001-what-dripwatch-is-and-is-not.md", "deploy/runbook.md"):
        assert primary in (ROOT / path).read_text(encoding="utf-8"), path
    for path in ("console/templates/layout.html", "field/templates/report.html", "field/templates/audit.html"):
        assert primary in (ROOT / "gateway" / path).read_text(encoding="utf-8"), path
