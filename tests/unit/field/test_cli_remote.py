from pathlib import Path

import pytest

from gateway.config.settings import ConsoleSettings
from gateway.console.token import load_or_create_token
from gateway.field.remote import address
from tests.support.fake_service import TOKEN

ROOT = Path(__file__).parents[3]
LIST = ("incidents", "list")


def ward_file(folder: Path, listen: str) -> Path:
    """The example's ward, listening there, its journal in data/ beside it."""
    text = (ROOT / "tests" / "ward.example.yaml").read_text().replace("listen: 127.0.0.1:8080", f"listen: {listen}")
    path = folder / "ward.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def ward(house, tmp_path, monkeypatch):
    """A ward file that leads to the listening gateway, with its token where the gateway would have put it."""
    monkeypatch.delenv("DRIPWATCH_URL")
    monkeypatch.delenv("DRIPWATCH_TOKEN")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "api-token").write_text(TOKEN)
    return ward_file(tmp_path, house.url.removeprefix("http://"))


@pytest.mark.parametrize("words", [(), ("--ward", "ward.yaml")])
def test_the_ward_file_leads_to_the_gateway_and_its_token(run, ward, words):
    """Beside the ward file nothing needs to be said."""
    assert run(*LIST, *words).exit_code == 0


def test_the_environment_leads_there_too(run, ward, tmp_path, monkeypatch):
    """From any folder, with DRIPWATCH_WARD."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(*LIST).exit_code == 2
    assert run(*LIST, env={"DRIPWATCH_WARD": str(ward)}).exit_code == 0


def test_what_is_given_wins_over_the_ward_file(run, ward, house, tmp_path):
    """Another gateway can be asked from here."""
    (tmp_path / "other").write_text("y" * 30)
    assert "no gateway answers at http://127.0.0.1:1" in run(*LIST, "--url", "http://127.0.0.1:1").stderr
    refused = run(*LIST, "--url", f"{house.url}/", "--token-file", "other")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "refuses the token; give the file api-token beside its journal with --token-file" in refused.stderr


def test_without_any_hint_the_mend_is_said(run):
    """Nobody guesses which gateway was meant."""
    result = run(*LIST)
    assert (result.exit_code, result.stderr) == (
        2,
        "dripwatch: which gateway? Give --url or --ward, or go where ward.yaml is\n",
    )


def test_an_address_without_a_token_says_how_to_give_one(run):
    """The token is never asked for on the line: it would stay in the shell's history."""
    result = run(*LIST, "--url", "http://127.0.0.1:8080")
    assert (result.exit_code, result.stderr) == (
        2,
        "dripwatch: the gateway's token is missing; give --token-file or --ward, or set DRIPWATCH_TOKEN\n",
    )


def test_a_missing_token_file_is_said_with_its_path(run, ward, tmp_path):
    """The gateway writes it; without a gateway there is none."""
    (tmp_path / "data" / "api-token").unlink()
    result = run(*LIST)
    assert result.exit_code == 2
    assert "api-token: no such file or directory; the gateway writes this file at its start" in result.stderr


def test_a_broken_ward_file_is_one_line_that_leads_to_all_of_them(run, tmp_path):
    """The first problem, how many more, and the command that tells them."""
    (tmp_path / "ward.yaml").write_text("site: x\ntimezone: Nowhere/No\n")
    result = run(*LIST)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "more); see dripwatch check-config ward.yaml" in result.stderr
    missing = run(*LIST, "--ward", "no.yaml")
    assert missing.stderr == "dripwatch: no.yaml: no such file or directory; see dripwatch check-config no.yaml\n"


@pytest.mark.parametrize("token", ["short", "two words are no token at all", "x" * 30 + "\n" + "y" * 30])
def test_a_variable_that_holds_no_token_is_never_shown(run, token):
    """What was put there may be another secret."""
    result = run(*LIST, "--url", "http://127.0.0.1:1", env={"DRIPWATCH_TOKEN": token})
    assert (result.exit_code, result.stderr) == (
        2,
        "dripwatch: DRIPWATCH_TOKEN holds no token; it is the text in the file api-token beside the journal\n",
    )


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:99999", "http://[::1", "http://" + "a" * 70 + ".x"])
def test_an_impossible_address_is_one_line(run, url):
    """A typing error is no internal error."""
    result = run(*LIST, "--url", url, env={"DRIPWATCH_TOKEN": TOKEN})
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith(f"dripwatch: no gateway answers at {url}")


def test_another_web_server_is_not_taken_for_a_gateway(run, web):
    """A wrong port may well answer."""
    handler, place = web
    handler.status, handler.body = 404, b"<html>not here</html>"
    result = run(*LIST, "--url", f"http://{place}", env={"DRIPWATCH_TOKEN": TOKEN})
    assert (result.exit_code, result.stderr) == (
        2,
        f"dripwatch: http://{place} answers, but it is no Dripwatch gateway; check --url\n",
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104 - nothing is bound
        ("::", "http://[::1]:8080"),
        ("gateway.ward.example", "http://gateway.ward.example:8080"),
    ],
)
def test_where_a_console_listens_is_where_it_is_reached(host, url):
    """An address that means all of them is reached on this machine."""
    assert address(ConsoleSettings(host, 8080, "")) == url


def test_the_token_that_a_gateway_makes_opens_nothing_else(run, house, tmp_path):
    """Another ward's token is refused."""
    load_or_create_token(tmp_path / "api-token")
    assert "refuses the token" in run(*LIST, "--token-file", "api-token").stderr
