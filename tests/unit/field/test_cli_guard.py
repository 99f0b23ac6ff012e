import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gateway.field import running
from gateway.field.cli import cli

ROOT = Path(__file__).parents[3]


@pytest.fixture
def failing(monkeypatch):
    """Makes the demo fail in a given way."""

    def fail(error: BaseException) -> None:
        def run_demo(**_: object) -> int:
            raise error

        monkeypatch.setattr(running, "run_demo", run_demo)

    return fail


def test_an_internal_error_is_one_line_and_exit_2(run, failing):
    """No traceback before a user; the line says how to get one."""
    failing(ZeroDivisionError("division by zero\nand more"))
    result = run("demo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "dripwatch: internal error (ZeroDivisionError: division by zero and more); run again with --debug and report it\n"
    )


@pytest.mark.parametrize("words", [("--debug", "demo"), ("demo", "--debug")])
def test_debug_shows_where_wherever_it_stands(run, failing, words):
    """It can be added to the end of the line that failed."""
    failing(ZeroDivisionError("division by zero"))
    assert isinstance(run(*words).exception, ZeroDivisionError)


def test_ctrl_c_ends_with_the_code_that_shells_expect(run, failing):
    """Not an error of anybody's."""
    failing(KeyboardInterrupt())
    result = run("demo")
    assert (result.exit_code, result.stderr.strip()) == (130, "dripwatch: interrupted")


def test_an_error_of_the_system_is_not_taken_for_a_closed_pipe(run, failing):
    """Only a reader that went away is fine."""
    failing(OSError(errno.ENOSPC, "No space left on device"))
    assert run("demo").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nope",), "No such command 'nope'; see dripwatch --help"),
        (("incidents", "zzz"), "No such command 'zzz'; see dripwatch incidents --help"),
        (("demo", "--zzz"), "No such option '--zzz'; see dripwatch demo --help"),
        (("demo", "--speed", "0"), "Invalid value for '--speed': 0.0 is not in the range 1<=x<=3600; see dripwatch demo --help"),
        (("enrol",), "Missing option '--course'; see dripwatch enrol --help"),
        (("scenario", "run"), "Missing argument 'FILES...'; see dripwatch scenario run --help"),
        (("run", "--ward", "no.yaml"), "no.yaml: there is no such file; check the path"),
        (("run", "--ward", "."), ".: is a directory, not a file; check the path"),
    ],
)
def test_a_wrong_call_is_one_line_with_the_mend(run, words, said):
    """What is wrong, and where its help is."""
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"dripwatch: {said}\n"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("demo",), {"speed": 120.0, "port": None, "seconds": None, "open_browser": True, "write": click.echo}),
        (
            ("demo", "--speed", "600", "--port", "8090", "--seconds", "5", "--no-browser"),
            {"speed": 600.0, "port": 8090, "seconds": 5.0, "open_browser": False, "write": click.echo},
        ),
    ],
)
def test_the_demo_is_asked_for_what_was_typed(run, monkeypatch, words, asked):
    """Its exit code is ours."""
    told = []
    monkeypatch.setattr(running, "run_demo", lambda **given: told.append(given) or 0)
    assert run(*words).exit_code == 0
    assert told == [asked]


def test_the_gateway_runs_with_the_ward_file_and_its_code_is_ours(run, monkeypatch, tmp_path):
    """By option or by variable."""
    (tmp_path / "w.yaml").write_text("site: x\n")
    told = []
    monkeypatch.setattr(running, "run_gateway", lambda path: told.append(path) or 1)
    assert run("run", "--ward", "w.yaml").exit_code == 1
    assert run("run", env={"DRIPWATCH_WARD": "w.yaml"}).exit_code == 1
    assert told == [Path("w.yaml")] * 2


def test_the_version_is_told(run):
    """For a bug report."""
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("dripwatch ")


def test_commands_are_listed_in_the_order_of_a_days_work(run):
    """Not of the alphabet."""
    text = run("--help").stdout.partition("Commands:")[2]
    names = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert names == cli.list_commands(click.Context(cli))
    assert names[:3] == ["run", "demo", "check-config"]


def test_a_reader_that_has_seen_enough_is_fine():
    """`dripwatch … | head -1` ends quietly."""
    command = f"{sys.executable} -m gateway rules explain | head -1"
    told = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("blinatumomab_home: ")
    assert told.stderr == ""


def test_a_real_process_ends_with_the_code_and_one_line():
    """As shells and units see it."""
    told = subprocess.run([sys.executable, "-m", "gateway", "nope"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "dripwatch: No such command 'nope'; see dripwatch --help\n"
