"""Commands that ask a gateway behind TLS, whose certificate an authority of the house has signed."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from gateway.console.app import create_api
from gateway.outside.web_asks import ask_ready
from gateway.runtime.watchdog import Answer
from tests.support.brokers import Certificates, certificates
from tests.support.fake_service import TOKEN, FakeService
from tests.support.process import free_port

START_S = 20.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, what it signed for 127.0.0.1, and an authority that nobody trusts."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def address(made: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A gateway's API behind TLS; its token is in the environment."""
    port = free_port()
    tls = {"ssl_certfile": made.server_cert, "ssl_keyfile": made.server_key}
    api = create_api(FakeService(), token=TOKEN)
    server = uvicorn.Server(uvicorn.Config(api, host="127.0.0.1", port=port, log_level="warning", lifespan="off", **tls))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + START_S
    while not server.started:
        assert time.monotonic() < end, "the API did not start"
        time.sleep(0.01)
    monkeypatch.setenv("DRIPWATCH_TOKEN", TOKEN)
    yield f"https://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(START_S)


def test_the_ca_is_named_by_an_option_or_in_the_environment(run, made: Certificates, address: str, monkeypatch):
    """`--gateway-ca`, `DRIPWATCH_CA`; a long answer in pieces comes the same way."""
    given = run("incidents", "list", "--url", address, "--gateway-ca", made.ca)
    assert (given.exit_code, given.stderr) == (0, "")
    monkeypatch.setenv("DRIPWATCH_CA", str(made.ca))
    assert run("incidents", "list", "--url", address).stdout == given.stdout
    exported = run("export", "--url", address)
    assert "/api/docs" in exported.stderr  # it was reached: the scripted one has nothing to export


def test_who_is_not_trusted_is_told_nothing(run, made: Certificates, address: str, tmp_path: Path):
    """Without the CA, with another's, and with a file that is none: one line with the mend, exit code 2."""
    (tmp_path / "rubbish").write_text("rubbish")
    for words, said in (
        ([], "is not trusted"),
        (["--gateway-ca", made.stranger_ca], "give the CA that signed it with --gateway-ca"),
        (["--gateway-ca", tmp_path / "none.pem"], "--gateway-ca: cannot read a TLS file"),
        (["--gateway-ca", tmp_path / "rubbish"], "rubbish holds no certificate in PEM form"),
    ):
        found = run("incidents", "list", "--url", address, *words)
        assert (found.exit_code, len(found.stderr.splitlines())) == (2, 1)
        assert said in found.stderr


async def test_the_watchdog_asks_so_too(made: Certificates, address: str):
    """`gateway.ca` of its file."""
    found, _ = await ask_ready(address, None, made.ca)
    assert found in (Answer.READY, Answer.NOT_READY)
    nobody, why = await ask_ready(address, None, made.stranger_ca)
    assert (nobody, "CERTIFICATE_VERIFY_FAILED" in why) == (Answer.NONE, True)
