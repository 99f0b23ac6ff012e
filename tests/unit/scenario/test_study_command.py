import json

import pytest
from click.testing import CliRunner

from gateway.field.simulate import simulate
from gateway.field.speaking import No, Wrong
from tests.support.process import free_port


def run(*words):
    """`dripwatch simulate` with these words: exit code, what it printed, and the exception that the top of the commands says."""
    return CliRunner().invoke(simulate, [str(word) for word in words], standalone_mode=False)


def refusal(*words, kind=Wrong):
    """The one line in which a call is refused."""
    error = run(*words).exception
    assert isinstance(error, kind), error
    return error.format_message()


def test_a_small_study_prints_its_table():
    """Two patients for two days, in a second."""
    done = run("--patients", 2, "--days", 2, "--every", 600, "--workers", 1)
    assert done.return_value == 0
    assert "2 simulated patients, 2 days each: 0.57 patient-weeks" in done.output
    assert "goal" in done.output


def test_a_study_prints_json_for_programs():
    """The same numbers; twice the same words give the same numbers."""
    words = ("--patients", 2, "--days", 2, "--every", 600, "--workers", 1, "--json")
    first, second = run(*words), run(*words)
    assert json.loads(first.output)["patients"] == 2
    assert first.output == second.output


def test_goals_that_are_not_met_are_an_answer(monkeypatch):
    """With --goals the exit code says it; without, a study is a study."""
    monkeypatch.setattr("gateway.scenario.study_report.PAGES_SHARE_MAX", -1.0)
    words = ("--patients", 1, "--days", 1, "--every", 3600, "--workers", 1)
    assert (run(*words).return_value, run(*words, "--goals").return_value) == (0, 1)


def test_pumps_of_a_small_study_report_every_minute():
    """Up to twenty patients every minute, more of them every five."""
    told = json.loads(run("--patients", 1, "--days", 1, "--workers", 1, "--json").output)
    assert told["report_s"] == 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--speed", 2), "--speed belongs to a live run; give --port too"),
        (("--token-file", "x"), "--token-file belongs to a live run"),
        (("--port", 1883, "--days", 2), "--days belongs to a study; leave out --port"),
        (("--port", 1883, "--json"), "--json belongs to a study"),
        (("--port", 1883, "--host", "192.0.2.7"), "published on this machine only"),
        (("--port", 1883, "--host", "broker.ward.example"), "published on this machine only"),
        (("--port", 1883, "--url", "http://192.0.2.7:8080"), "enrolled on this machine only"),
        (("--port", 1883), "which site?"),
        (("--ward", "nowhere.yaml"), "there is no such file"),
    ],
)
def test_a_call_that_is_wrong_is_refused_in_words(words, said):
    """One line: what is wrong, and the mend."""
    assert said in refusal(*words)


def test_no_broker_is_said_in_words():
    """Before anything is enrolled."""
    port = free_port()
    assert f"no broker answers at 127.0.0.1:{port}" in refusal("--port", port, "--site", "ward", kind=No)


def test_a_ward_file_with_errors_is_refused_with_its_lines(tmp_path):
    """Every problem at once, as check-config would say."""
    file = tmp_path / "ward.yaml"
    file.write_text("site: ward\nnonsense: 1\n")
    assert "nonsense" in refusal("--ward", file)
