"""The page about the API: its examples run as they stand there; and what it promises across a restart and a kill."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.runtime.ports import Kind
from tests.support.brokers import mosquitto
from tests.support.gateway_process import ROOT, GatewayProcess, gateway, mail_to, records_of, ward
from tests.support.process import free_port

pytestmark = pytest.mark.servers

PAGE = (ROOT / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NOTE = {"reason": "known", "course": "P-017", "for": "1h"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that was just started."""
    with mosquitto(tmp_path / "broker") as broker:
        file = ward(broker.port, {"email": mail_to(free_port())}, {"email": "nurse-a@ward.example"})
        with gateway(tmp_path / "gateway", file) as made:
            yield made


def as_it_stands(running: GatewayProcess, example: str) -> str:
    """What an example prints."""
    settings = {"URL": running.url, "TOKEN": running.token_file.read_text().strip(), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", example], env=settings, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_examples_do_what_the_page_says(running: GatewayProcess):
    """Each is run in its order; the words around it are true."""
    said = [as_it_stands(running, example) for example in EXAMPLES]
    board, enrolled, refused, twice, listed, tagged, streamed, exported, *bench = said
    assert board.startswith('{"at":"')
    assert re.fullmatch(r'\{"seq":\d+,"message":".+","incident":"","silence":""\}', enrolled)
    assert '"type":"urn:dripwatch:refused"' in refused
    first, second = re.findall(r"\{.*?\}", twice)
    assert first == second
    assert "HTTP/1.1 200" in listed
    assert tagged == "304\n"
    assert streamed.startswith("retry: 2000\n\nid: ")
    assert exported.startswith("record,at,kind,course,pump,")
    assert ",care,P-017," in exported
    announced, full, rehearsed, ended = bench
    assert "on the bench" in announced
    assert '"device":"pump-19","course":""' in full
    assert '"bench_until":"' in full
    assert '"priority":"high"' in rehearsed
    assert '"people":[{"person":"' in rehearsed
    assert [json.loads(answer)["seq"] > 0 for answer in re.findall(r"\{.*?\}", ended)] == [True, True]
    (kept,) = running.ask("/pumps/pump-19/full")["commissioned"]
    assert (kept["verdict"], kept["digest"]) == ("passed", hashlib.sha256(b"document").hexdigest())


def ask(running: GatewayProcess, verb: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
    """The bare answer."""
    headers = {"Authorization": f"Bearer {running.token_file.read_text().strip()}", "X-Dripwatch-User": "nurse-a"}
    return running.client.request(verb, path, json=body, headers=headers | ({"Idempotency-Key": key} if key else {}))


async def test_a_key_works_across_a_kill(running: GatewayProcess):
    """The same request to the next process has no second effect and the same answer; another body is refused."""
    running.enrol("P-017", "pump-17")
    first = ask(running, "POST", "/api/v1/silences", NOTE, "silence-1")
    refused = ask(running, "POST", "/api/v1/incidents/P-099/ack", None, "ack-1")
    running.kill()
    running.start()
    again = ask(running, "POST", "/api/v1/silences", NOTE, "silence-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert len(ask(running, "GET", "/api/v1/silences").json()) == 1
    assert ask(running, "POST", "/api/v1/silences", {**NOTE, "reason": "other"}, "silence-1").status_code == 422
    repeated = ask(running, "POST", "/api/v1/incidents/P-099/ack", None, "ack-1")
    assert (repeated.status_code, repeated.json()) == (409, refused.json())
    commands = await records_of(running.journal, [Kind.COMMAND])
    assert sum(b'"silence"' in record.body for record in commands) == 2  # the process that was killed, and the next


def test_the_export_is_the_same_from_the_file_and_from_the_gateway(running: GatewayProcess):
    """By `dripwatch export` with and without `--journal`; a second one at the same time is told to wait."""
    running.enrol("P-017", "pump-17")
    live = running.command("export", "--course", "P-017")
    assert '"kind":"care","course":"P-017"' in live
    line = ["-m", "gateway", "export", "--journal", str(running.journal), "--course", "P-017"]
    done = subprocess.run([sys.executable, *line], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == live
    wrong = ask(running, "GET", "/api/v1/export?from=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z")
    assert (wrong.status_code, wrong.json()["detail"]) == (
        422,
        "query.until: does not come after from; swap them, or leave one out",
    )
