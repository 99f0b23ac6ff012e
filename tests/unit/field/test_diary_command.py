"""`dripwatch diary` against a gateway that answers what it is told."""

import httpx
import pytest
from click.testing import CliRunner, Result

from gateway.field import remote
from gateway.field.diary import diary


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, str, dict[str, object]]]:
    """What the command asked of the gateway."""
    seen: list[tuple[str, str, dict[str, object]]] = []

    def answer(self, verb, path, **parts):
        seen.append((verb, path, parts.get("json", {})))
        said = (
            {"path": "/d/abc", "url": "https://dripwatch.ward.example/d/abc"}
            if verb == "GET"
            else {"message": "P-017: noted 38.4 °C at 14:03"}
        )
        return httpx.Response(200, json=said)

    monkeypatch.setattr(remote.Remote, "answer", answer)
    monkeypatch.setenv("DRIPWATCH_TOKEN", "a-token-of-tests-0123456789")
    return seen


def run(*words: str) -> Result:
    """The command as people type it."""
    return CliRunner().invoke(diary, [*words, "--url", "http://127.0.0.1:8080"], standalone_mode=False)


def test_the_link_is_printed_whole(asked):
    """One line to be copied into a message."""
    assert run("link", "P-017").output == "https://dripwatch.ward.example/d/abc\n"
    assert asked == [("GET", "/api/v1/courses/P-017/diary/link", {})]


def test_the_link_may_have_the_address_that_the_home_sees(asked):
    """The home does not reach the gateway by its own machine's address."""
    assert run("link", "P-017", "--base-url", "https://ward.example/").output == "https://ward.example/d/abc\n"


def test_what_the_home_says_is_sent(asked):
    """Words of the command line become the API's."""
    said = run("add", "P-017", "--temperature", "38.4", "--handwriting", "same", "--from", "caregiver")
    assert said.output == "P-017: noted 38.4 °C at 14:03\n"
    body = {"temperature_c": 38.4, "handwriting_changed": False, "from_whom": "caregiver"}
    assert asked == [("POST", "/api/v1/courses/P-017/diary", body)]
