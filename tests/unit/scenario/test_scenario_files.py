"""Scenario files that are wrong: each slip is named with its line, and the exit code says which kind of no it is."""

import shutil
from pathlib import Path

import pytest

from gateway.scenario.grammar import ScenarioError, read_scenario
from gateway.scenario.runner import FAILED, FINE, WRONG, run_files

WARD = Path(__file__).parents[2] / "ward.example.yaml"
HEAD = "title: A story\nward: ward.yaml\nsteps:\n  - {at: 0m, enrol: {course: P-017, pump: p1}}\n"


@pytest.fixture
def told(tmp_path):
    """Writes a story with the usual head and returns its file."""
    shutil.copy(WARD, tmp_path / "ward.yaml")

    def write(*steps: str, head: str = HEAD) -> Path:
        file = tmp_path / "story.yaml"
        file.write_text(head + "".join(f"  - {step}\n" for step in steps))
        return file

    return write


SLIPS = [
    ("{at: soon, broker: up}", "'soon' is not a duration"),
    ("{at: 1m, pump: p1, dance: true}", "a pump step has exactly one of"),
    ("{at: 1m, pump: p2, stop: user}", "p2 is enrolled by no step above"),
    ("{at: 1m, pump: p1, alarm: fire}", "'fire' is not one of: occlusion-downstream"),
    ("{at: 1m, pump: p1, alarm: door-open, priority: urgent}", "'urgent' is not one of: information, low, medium, high"),
    ("{at: 1m, pump: p1, alarm: door-open, loud: true}", "is not known here"),
    ("{at: 1m, pump: p1, stop: fun}", "'fun' is not one of: alarm, user"),
    ("{at: 1m, pump: p1, rate: fast}", "is a number, not below 0"),
    ("{at: 1m, pump: p1, publish: text}", "one of json, text, hex"),
    ("{at: 1m, pump: p1, publish: {channel: telemetry, hex: zz}}", "hex has two digits a byte"),
    ("{at: 1m, pump: p1, publish: {channel: telemetry, text: a, colour: red}}", "unknown colour"),
    ("{at: 1m, person: nurse-a}", "a person step has exactly one of"),
    ("{at: 1m, person: nurse-a, reply: '{code@noon}'}", "'noon' is not an offset"),
    ("{at: 1m, transport: fax, fail: hang}", "'fax' is not one of: sms, pager, email, voice"),
    ("{at: 1m, transport: sms, fail: loudly}", "'loudly' is not one of: reject, temporary, timeout, hang"),
    ("{at: 1m, transport: sms}", "needs one of fail, heal, receipt"),
    ("{at: 1m, gateway: dance}", "'dance' is not one of: crash, reload"),
    ("{at: 1m, gateway: crash, at_point: lunch}", "'lunch' is not one of: before-send"),
    ("{at: 1m, gateway: crash, restart_after: soon}", "'soon' is not a duration"),
    ("{at: 1m, gateway: reload, ward_patch: {site: 7}}", "site"),
    ("{at: 1m, broker: sideways}", "'sideways' is not one of: down, up"),
    ("{at: 1m, enrol: {course: P-018}}", "enrol names at least a course and a pump"),
    ("{at: 1m, enrol: {course: P-018, pump: p2, colour: red}}", "is not known here"),
    ("{at: 1m, enrol: {course: P-018, pump: p2, primed_ml: much}}", "is a number, not below 0"),
    ("{at: 1m, expect: {page: nurse-a, says: '('}}", "is not a regular expression"),
    ("{at: 1m, expect: {page: nurse-a, times: often}}", "is a whole number"),
    ("{at: 1m, expect: {page: nurse-a, colour: red}}", "unknown colour"),
    ("{at: 1m, expect: {delivery: P-017, is: fine}}", "delivery is one of: delivering, interrupted"),
    ("{at: 1m, expect: {delivery: P-017}}", "delivery needs `is`"),
    ("{at: 1m, expect: {weather: sunny}}", "an expectation names one of"),
    ("{at: 1m, expect: {page: nurse-a, within: soon}}", "'soon' is not a duration"),
    ("{at: 1m, allow: {by: sms}}", "names a page"),
    ("{at: 1m, broker: up, influx: up}", "a step has exactly one verb; here: broker, influx"),
    ("{at: 1m}", "a step has exactly one verb; here: none"),
    ("just words", "a step is a mapping"),
]


@pytest.mark.parametrize(("step", "words"), SLIPS, ids=[step for step, _ in SLIPS])
def test_a_slip_is_named_with_its_line(told, step, words):
    """A story with a slip is refused, never told wrongly."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(told(step))
    assert words in str(caught.value)
    assert "story.yaml:5: " in str(caught.value)


def test_all_slips_are_named_at_once(told):
    """One run, all lines."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(told("{at: 1m, broker: sideways}", "{at: 30s, influx: left}"))
    said = str(caught.value)
    assert [line.split(":")[1] for line in said.splitlines()] == ["6", "5", "6"]
    assert "30s comes before the step above; `at` never decreases" in said


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("title: x\nward: nowhere.yaml\nsteps:\n", "the ward file cannot be read"),
        ("title: x\nsteps:\n", "a scenario names its ward file"),
        ("title: x\nward: ward.yaml\nstart: yesterday\nsteps:\n", "'yesterday' is not an instant"),
        ("title: x\nward: ward.yaml\nstart: 2026-03-02T08:00:00\nsteps:\n", "is not an instant"),
        ("title: x\nward: ward.yaml\ncolour: red\nsteps:\n", "is not a key of a scenario"),
        ("title: x\nward: {site: 7}\nsteps:\n", "site"),
        ("title: x\nward: ward.yaml\nward_patch: {policies: {high: {steps: []}}}\nsteps:\n", "high"),
    ],
)
def test_a_wrong_head_is_named(told, head, words):
    """The ward, the start, the keys."""
    with pytest.raises(ScenarioError, match=words):
        read_scenario(told("{at: 0m, broker: up}", head=head))


def test_what_is_no_story_at_all_is_refused(told, tmp_path):
    """No steps, no YAML, no file."""
    with pytest.raises(ScenarioError, match="a scenario has a list of steps"):
        read_scenario(told(head="title: x\nward: ward.yaml\n"))
    with pytest.raises(ScenarioError, match=r"story\.yaml:1"):
        read_scenario(told(head="{title\n"))
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_scenario(tmp_path / "missing.yaml")


def test_the_exit_code_tells_a_failing_story_from_a_wrong_one(told, capsys):
    """0 all pass, 1 one failed, 2 one is no scenario; the worst wins."""
    lines = []
    assert run_files([told("{at: 1h, expect: {delivery: P-017, is: delivering}}")], lines.append) == FINE
    assert run_files([told("{at: 1h, expect: {page: nurse-a}}")], lines.append) == FAILED
    assert run_files([told("{at: 1h, broker: sideways}")], lines.append) == WRONG
    assert any("passes: A story" in line for line in lines)
    assert any("story.yaml:5: expected page nurse-a; nearest: no page at all" in line for line in lines)


def failures(file: Path) -> list[str]:
    """What a story's run found."""
    lines: list[str] = []
    run_files([file], lines.append, verbose=False)
    return [line for line in lines if "story.yaml" in line and ": fails:" not in line and ": passes:" not in line]


def test_a_page_that_nobody_named_fails_the_story(told):
    """Silence is asserted too; the failure says when, who, how and what."""
    (failure,) = failures(told("{at: 1h, pump: p1, stop: user}", "{at: 1h11m, person: nurse-a, ack: P-017}"))
    assert "a page that nobody expected: 1h10m00s nurse-a by sms [medium opened: delivery-interrupted]" in failure


def test_a_page_is_used_up_by_one_expectation(told):
    """Two expectations need two pages; whichever order they stand in, each finds its own."""
    stop, ack = "{at: 1h, pump: p1, stop: user}", "{at: 1h13m, person: nurse-a, ack: P-017}"
    both = "{at: 1h10m, expect: [{page: nurse-a, within: 5m}, {page: nurse-a, by: sms}]}"
    assert failures(told(stop, both, ack)) == []
    twice = "{at: 1h10m, expect: [{page: nurse-a, by: sms}, {page: nurse-a, by: sms}]}"
    assert len(failures(told(stop, twice, ack))) == 2
    assert len(failures(told(stop, "{at: 1h10m, expect: {page: nurse-a, times: 3, within: 5m}}", ack))) == 1


def test_an_allowed_page_is_not_demanded_and_expectations_take_theirs_first(told):
    """Allowing excuses what is left over, and only from then on."""
    stop, ack = "{at: 1h, pump: p1, stop: user}", "{at: 1h13m, person: nurse-a, ack: P-017}"
    assert failures(told("{at: 0m, allow: {page: nurse-a}}", stop, ack)) == []
    assert failures(told("{at: 0m, allow: {page: nurse-a}}", "{at: 1h, broker: up}")) == []
    assert len(failures(told(stop, "{at: 1h11m, allow: {page: nurse-a}}", ack))) == 1
    assert (
        len(failures(told("{at: 0m, allow: {page: nurse-a}}", stop, "{at: 1h11m, expect: {page: nurse-a, by: sms}}", ack))) == 1
    )


def test_a_state_must_hold_within_its_time(told):
    """Not before, not after; the failure says what it was."""
    stop = "{at: 1h, pump: p1, stop: user}"
    assert failures(told(stop, "{at: 1h1m, expect: {delivery: P-017, is: interrupted, since: 1h0m30s}}")) == []
    (failure,) = failures(told(stop, "{at: 1h1m, expect: {delivery: P-017, is: interrupted, since: 1h0m31s}}"))
    assert failure.endswith("it was interrupted since 1h00m00s")
    (failure,) = failures(told("{at: 1m, expect: {delivery: P-099, is: unknown}}"))
    assert failure.endswith("it was no such course")
    assert len(failures(told("{at: 1m, expect: {answer: nurse-a, says: x}}"))) == 1


def test_a_refused_enrolment_is_told_and_its_pump_does_nothing(told):
    """The story goes on; its expectations fail, not the runner."""
    again = "{at: 1m, enrol: {course: P-017, pump: p2}}"
    lines = []
    run_files([told(again, "{at: 2m, pump: p2, stop: user}", "{at: 30m, broker: up}")], lines.append)
    assert any("refused: P-017 is enrolled already" in line for line in lines)


def test_a_broker_that_comes_back_wakes_no_dead_pump(told):
    """Only who lost the link with it is back."""
    story = told(
        "{at: 1m, enrol: {course: P-018, pump: p2}}",
        "{at: 10m, pump: p2, dead: true}",
        "{at: 11m, broker: down}",
        "{at: 11m30s, broker: up}",
        "{at: 17m, expect: [{delivery: P-017, is: delivering}, {delivery: P-018, is: unknown}]}",
    )
    assert failures(story) == []
