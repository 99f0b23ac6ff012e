from pathlib import Path

import pytest

from rules.loader import shipped_text

ROOT = Path(__file__).parents[3]
WARD = (ROOT / "tests" / "ward.example.yaml").read_text()
SHIPPED = shipped_text("blinatumomab_home")
STORIES = sorted((ROOT / "tests" / "scenarios").glob("*.yaml"))


def line_of(words: str) -> int:
    """The line of the example ward on which these words stand."""
    return next(number for number, line in enumerate(WARD.splitlines(), 1) if line.strip().startswith(words))


def written(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_text(text)
    return path


def test_the_example_loads_with_what_a_ward_would_rather_know(run):
    """A finding with its line, and exit 1."""
    result = run("check-config", ROOT / "tests" / "ward.example.yaml")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].endswith("people.pharmacist: reached by email only; add a second transport (one-channel)")
    assert f".yaml:{line_of('pharmacist')}:" in lines[0]
    assert lines[-1].endswith("ward.example.yaml: loads, with 1 finding")


def test_a_ward_without_findings_is_fine(run, tmp_path):
    """Exit 0, and it says so."""
    mended = WARD.replace('[{email: "pharmacy@ward.example"}]', '[{email: "pharmacy@ward.example"}, {sms: "85290000009"}]')
    result = run("check-config", written(tmp_path / "ward.yaml", mended))
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/ward.yaml: loads, nothing to remark\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site: x\nsite: y\n", ["ward.yaml:2: key 'site' is given twice (first on line 1)"]),
        (
            WARD.replace("timezone: Asia/Hong_Kong", "timezone: Nowhere/No").replace("port: 1883", "port: 0"),
            ["timezone", "mqtt.port"],
        ),
        (
            WARD.replace("[blinatumomab_home]", "[nothing_home]"),
            [f"ward.yaml:{line_of('protocols:')}: protocols: no protocol 'nothing_home'"],
        ),
        (WARD.replace("diary-missing: {", "diary-mising: {"), [f"ward.yaml:{line_of('diary-missing')}: rules.diary-mising: "]),
        (WARD.replace("[blinatumomab_home]", "[./mine.yaml]"), ["mine.yaml:1: "]),
    ],
)
def test_every_error_is_told_with_its_line(run, tmp_path, text, said):
    """All at once, on standard error, with exit 2."""
    written(tmp_path / "mine.yaml", "protocol: MINE\n")
    result = run("check-config", written(tmp_path / "ward.yaml", text))
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(part in result.stderr for part in said)
    assert all(line.startswith("dripwatch: ") for line in result.stderr.splitlines())


def test_a_protocol_beside_the_ward_file_is_found_from_anywhere(run, tmp_path):
    """A relative path starts at the ward file, not where the command was typed."""
    (tmp_path / "ward").mkdir()
    written(tmp_path / "ward" / "mine.yaml", SHIPPED)
    written(tmp_path / "ward" / "ward.yaml", WARD.replace("[blinatumomab_home]", "[./mine.yaml]"))
    assert run("check-config", "ward/ward.yaml").exit_code == 1


def test_rules_are_explained_in_sentences(run):
    """Of one protocol, or of all that are shipped; within 80 columns."""
    result = run("rules", "explain")
    assert result.exit_code == 0
    assert result.stdout.startswith("blinatumomab_home: Blinatumomab at home")
    assert "delivery-interrupted: when " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    one = run("rules", "explain", "blinatumomab_home").stdout
    assert result.stdout.startswith(one)
    assert "Word for word as above: delivery-interrupted" in result.stdout
    assert "Word for word" not in run("rules", "explain", "continuous_infusion").stdout


def test_the_examples_of_all_shipped_rules_pass(run):
    """What the catalogue promises is true."""
    result = run("rules", "test")
    assert result.exit_code == 0
    assert " rules, " in result.stdout
    assert result.stdout.endswith(" examples, none failed\n")


def test_an_example_that_fails_is_told_with_its_line(run, tmp_path):
    """What was expected, and what the rule did instead."""
    bent = SHIPPED.replace("firing: {medium: 15m, high: 25m}", "firing: {medium: 15m, high: 26m}")
    path = written(tmp_path / "mine.yaml", bent)
    result = run("rules", "test", path)
    assert result.exit_code == 1
    first, last = result.stdout.splitlines()
    line = int(first.removeprefix(f"{path}:").partition(":")[0])
    assert "A stop becomes medium" in bent.splitlines()[line - 1]
    assert "expected medium at 15 min, high at 26 min, but it fires medium at 15 min, high at 25 min" in first
    assert last.endswith(" 1 failed")


@pytest.mark.parametrize("verb", ["explain", "test"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"protocol: MINE\n", "mine.yaml:1: "),
        (b"a: [\n", "mine.yaml:"),
        (b"\xff\xfe", "mine.yaml: not UTF-8 text; save it as UTF-8"),
        (None, "mine.yaml: no such file or directory; give a file, or a shipped protocol (blinatumomab_home"),
    ],
)
def test_a_file_that_is_no_protocol_is_exit_2(run, tmp_path, verb, content, said):
    """With the place and the mend."""
    if content is not None:
        (tmp_path / "mine.yaml").write_bytes(content)
    result = run("rules", verb, "mine.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_the_stories_of_the_project_pass(run):
    """Each tells its timeline; quietly, only its verdict."""
    some = STORIES[::20]  # tests/scenarios runs them all
    result = run("scenario", "run", *some)
    assert result.exit_code == 0, result.stdout
    quiet = run("scenario", "run", "--quiet", *some)
    assert [line for line in quiet.stdout.splitlines() if ": passes: " in line] == quiet.stdout.splitlines()
    assert len(quiet.stdout.splitlines()) == len(some) < len(result.stdout.splitlines())


def test_a_story_that_fails_tells_its_timeline_and_exits_with_1(run, tmp_path):
    """Quiet or not: what was expected did not come."""
    (tmp_path / "ward.example.yaml").write_text(WARD)
    (tmp_path / "stories").mkdir()
    story = (ROOT / "tests" / "scenarios" / "tap_the_tubing.yaml").read_text().replace("is: none", "is: triggered")
    path = written(tmp_path / "stories" / "bent.yaml", story)
    result = run("scenario", "run", "--quiet", path)
    assert result.exit_code == 1
    assert f"{path}: fails: " in result.stdout
    assert len(result.stdout.splitlines()) > 2


@pytest.mark.parametrize(("content", "said"), [("title: no steps\n", "broken.yaml"), ("a: [\n", "broken.yaml")])
def test_a_file_that_is_no_story_is_exit_2(run, tmp_path, content, said):
    """The others are told all the same."""
    path = written(tmp_path / "broken.yaml", content)
    result = run("scenario", "run", "--quiet", path, STORIES[0])
    assert result.exit_code == 2
    assert said in result.stdout
    assert "passes: " in result.stdout


def test_a_story_that_is_not_there_is_exit_2(run):
    """Before anything runs."""
    result = run("scenario", "run", STORIES[0], "nowhere.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "dripwatch: nowhere.yaml: there is no such file; check the path\n"
