"""The command line, and a scripted gateway that it reaches over a real connection."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from click.testing import CliRunner, Result

from gateway.console.app import create_api
from gateway.console.diary_page import mount_diary
from gateway.field import remote
from gateway.field.cli import cli
from tests.support.fake_service import TOKEN, FakeService
from tests.support.process import free_port

START_S = 20.0
DIARY_SECRET = "a-secret-of-tests"
BASE_URL = "https://dripwatch.ward.example"

Run = Callable[..., Result]


class Web(http.server.BaseHTTPRequestHandler):
    """Answers everything with one status and one body."""

    status = 204
    body = b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[tuple[type[Web], str]]:
    """A web server that is no gateway, and its place; set `status` and `body` on the first."""
    handler = type("Handler", (Web,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler, f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class House:
    """A gateway's API that listens."""

    service: FakeService
    url: str


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch, tmp_path):
    """Neither the developer's variables nor a ward file of theirs; the user is called tester."""
    for name in ("URL", "TOKEN", "CA", "WARD", "USER"):
        monkeypatch.delenv(f"DRIPWATCH_{name}", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(remote, "_login", lambda: "tester")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> Run:
    """Run `dripwatch` with these words; the result has exit_code, stdout and stderr."""

    def invoke(*words: object, **extra: object) -> Result:
        return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=True, **extra)

    return invoke


@pytest.fixture(scope="session")
def listening() -> Iterator[House]:
    """One server for all tests; each gives it a fresh script."""
    port, service = free_port(), FakeService()
    api = create_api(service, token=TOKEN)
    mount_diary(api, service, DIARY_SECRET, BASE_URL)
    config = uvicorn.Config(api, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + START_S
    while not server.started:
        assert time.monotonic() < end, "the API did not start"
        time.sleep(0.01)
    yield House(service, f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(START_S)


@pytest.fixture
def house(listening, monkeypatch) -> House:
    """A listening gateway with an untouched script, known by the environment."""
    listening.service.__init__()
    monkeypatch.setenv("DRIPWATCH_URL", listening.url)
    monkeypatch.setenv("DRIPWATCH_TOKEN", TOKEN)
    return listening
