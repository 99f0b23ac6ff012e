import re

import pytest

from gateway.domain.commands import Acknowledge, ClearCondition, Close, EndCourse, Enrol, Escalate, HandOver, HangBag, Note
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import refuse
from tests.unit.field.care_commands import CARE

HUNG_AT = 1_772_410_500_000
ENROL = ("enrol", "--course", "P-017", "--pump", "pump-17", "--bag", "7-day")
FURTHER = (
    *("--protocol", "p", "--primed-ml", "9", "--planned-change", "6d12h", "--cycle", "2"),
    *("--hung-at", "2026-03-02T08:15:00+08:00", "--override-reason", "transfer"),
)

COMMANDS = [
    (ENROL, Enrol(course="P-017", pump="pump-17", protocol="blinatumomab_home", bag="7-day")),
    (
        (*ENROL, *FURTHER),
        Enrol(
            course="P-017",
            pump="pump-17",
            protocol="p",
            bag="7-day",
            primed_ml=9.0,
            planned_change_ms=6 * DAY_MS + 12 * HOUR_MS,
            cycle=2,
            hung_at=HUNG_AT,
            checklist_complete=False,
            override_reason="transfer",
        ),
    ),
    (("bag", "hang", "P-017", "--bag", "24-hour"), HangBag(course="P-017", bag="24-hour")),
    (
        (
            "bag",
            "hang",
            "P-017",
            "--bag",
            "7-day",
            "--primed-ml",
            2.5,
            "--planned-change",
            "7d",
            "--hung-at",
            "2026-03-02T00:15Z",
        ),
        HangBag(course="P-017", bag="7-day", primed_ml=2.5, planned_change_ms=7 * DAY_MS, hung_at=HUNG_AT),
    ),
    (
        ("bag", "hang", "P-017", "--bag", "7-day", "--prepared-at", "2026-03-01T08:15+08:00", "--rate", 0.6),
        HangBag(course="P-017", bag="7-day", prepared_at=HUNG_AT - DAY_MS, rate_ml_h=0.6),
    ),
    (("course", "end", "P-017"), EndCourse(course="P-017")),
    (("course", "end", "P-017", "--reason", "to hospital"), EndCourse(course="P-017", reason="to hospital")),
    (("pump", "clear", "pump-17", "air-in-line"), ClearCondition(pump="pump-17", condition="air-in-line")),
    (("incidents", "ack", "P-017@5"), Acknowledge(incident="P-017@5")),
    (("incidents", "ack", "P-017", "--for", "30m"), Acknowledge(incident="P-017", for_ms=30 * MINUTE_MS)),
    (("incidents", "escalate", "P-017@5"), Escalate(incident="P-017@5")),
    (("incidents", "hand-over", "P-017@5", "--to", "nurse-b"), HandOver(incident="P-017@5", to="nurse-b")),
    (("incidents", "close", "P-017@5", "--reason", "a test"), Close(incident="P-017@5", reason="a test")),
    (("incidents", "note", "P-017@5", "no answer"), Note(incident="P-017@5", text="no answer")),
]
COMMANDS += CARE
NAMES = [" ".join(words[:2]) for words, _ in COMMANDS]


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_a_change_goes_to_the_gateway_and_its_words_come_back(run, house, words, command):
    """What was typed becomes one command, in the name of who is logged in."""
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "done for tester\n", "")
    assert house.service.told == [("tester", command)]


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_a_refusal_is_one_line_and_exit_1(run, house, words, command):
    """The answer is no, and why."""
    house.service.decide = refuse("no course P-017 is running")
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "dripwatch: no course P-017 is running\n")


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=NAMES)
def test_nobody_answering_is_one_line_and_exit_2(run, monkeypatch, words, command):
    """A command that did not arrive says so, and what to do."""
    monkeypatch.setenv("DRIPWATCH_TOKEN", "x" * 30)
    result = run(*words, "--url", "http://127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("dripwatch: no gateway answers at http://127.0.0.1:1 (")
    assert result.stderr.endswith("); start it with dripwatch run, or give --url\n")
    assert result.stderr.count("\n") == 1


def test_who_asks_can_be_said(run, house):
    """At a shared terminal the login name says nothing; names may have any letters."""
    run("incidents", "ack", "P-017", "--as", "護士甲")
    run("incidents", "ack", "P-017", env={"DRIPWATCH_USER": "nurse-b"})
    assert [who for who, _ in house.service.told] == ["護士甲", "nurse-b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*ENROL, "--planned-change", "7 days"), "body.planned_change: not a length of time: '7 days'; write it like 90s"),
        (("incidents", "ack", "P-017", "--for", "soon"), "body.for: not a length of time: 'soon'"),
        (("incidents", "close", "P-017", "--reason", " "), "body.reason: "),
        ((*ENROL, "--as", "x" * 65), "X-Dripwatch-User: a name of 1 to 64 printable characters"),
        ((*ENROL, "--as", "a\x1b[2J\nb"), "--as: a name of printable characters"),
    ],
)
def test_what_the_gateway_does_not_understand_is_exit_2_with_the_mend(run, house, words, said):
    """The call is wrong; nothing was journalled."""
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr
    assert house.service.told == []


def test_a_full_journal_is_a_no(run, house):
    """The gateway is there, and could not."""
    house.service.broken = JournalFull("the disk is full")
    result = run("incidents", "ack", "P-017")
    assert result.exit_code == 1
    assert "nothing was changed: the journal cannot store it now (the disk is full)" in result.stderr


def test_a_gateway_that_fails_is_exit_2(run, house):
    """Its own mistake is neither yes nor no."""
    house.service.broken = RuntimeError("oops")
    result = run("incidents", "ack", "P-017")
    assert result.exit_code == 2
    told = r"dripwatch: the gateway made a mistake; its log says which, by the reference [0-9a-f]{8}\n"
    assert re.fullmatch(told, result.stderr)


def test_control_characters_of_an_answer_do_not_reach_the_terminal(run, house):
    """What others wrote must not steer the reader's screen."""
    house.service.decide = refuse("no\x1b[2Jthing")
    assert run("incidents", "ack", "P-017").stderr == "dripwatch: no [2Jthing\n"
