"""`make check-security` against a vulnerability service on loopback: what it finds, and what it says when it could not ask."""

import contextlib
import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway_process import ROOT
from tests.support.process import free_port

KNOWN = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-00001"],
    "summary": "made up",
    "details": "made up",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "click"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


@contextlib.contextmanager
def service(answer: bytes, status: int = 200) -> Iterator[str]:
    """The URL of a vulnerability service that says this of click, and knows nothing of anything else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = answer if status != http.HTTPStatus.OK or asked["package"]["name"] == "click" else b"{}"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Nothing on the terminal."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            serving.join()


def check(out: Path, url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command, to its end."""
    line = [sys.executable, ".ci/security.py", "--out", str(out), "--osv-url", url, "--timeout", "5", *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def small(tmp_path: Path) -> tuple[str, str]:
    """A lock of one package."""
    lock = tmp_path / "small.lock"
    text = (ROOT / "requirements-run.lock").read_text()
    lock.write_text(re.search(r"^click==(?:.*\\\n)+.*\n", text, re.MULTILINE)[0])
    return "--lock", str(lock)


@pytest.mark.hazard("H-73")
def test_a_known_vulnerability_is_found(tmp_path: Path):
    """Of all that is locked the one package is named, with what is known and the mend; exit code 1."""
    with service(json.dumps({"vulns": [KNOWN]}).encode()) as url:
        done = check(tmp_path, url)
    assert done.returncode == 1, done.stderr
    assert re.search(r"^click \S+: CVE-2026-00001, GHSA-aaaa-bbbb-cccc; mended in 99\.0$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("1 known vulnerabilities\n")


@pytest.mark.hazard("H-73")
def test_the_bill_lists_every_locked_package_with_its_hashes(tmp_path: Path, small: tuple[str, str]):
    """Made from the lock that is installed from, before anybody is asked; a service that knows of nothing is exit code 0."""
    with service(b"{}") as url:
        done = check(tmp_path, url, *small)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no known vulnerability"), done.stderr
    (component,) = json.loads((tmp_path / "dripwatch.cdx.json").read_text())["components"]
    locked = Path(small[1]).read_text()
    hashes = {one["content"] for one in component["externalReferences"][0]["hashes"]}
    assert (component["name"], component["version"]) == tuple(re.match(r"(\S+)==(\S+)", locked).groups())
    assert hashes == set(re.findall(r"sha256:(\w+)", locked))


@pytest.mark.parametrize(("answer", "status"), [(b"no", 500), (b"<html>a portal's page</html>", 200), (None, 0)])
def test_what_could_not_be_asked_is_no_good_news(tmp_path: Path, small: tuple[str, str], answer: bytes | None, status: int):
    """A service that fails, talks nonsense or is not there: exit code 2, in words, and no report that looks like one."""
    with contextlib.ExitStack() as stack:
        url = f"http://127.0.0.1:{free_port()}/" if answer is None else stack.enter_context(service(answer, status))
        done = check(tmp_path, url, *small)
    assert (done.returncode, "could not ask for known vulnerabilities" in done.stderr) == (2, True), done.stderr
    assert "no known vulnerability" not in done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "vulnerabilities.json").exists()


def test_a_lock_that_is_not_there_is_said(tmp_path: Path):
    """One line, exit code 2."""
    done = check(tmp_path, "http://127.0.0.1:9/", "--lock", str(tmp_path / "none.lock"))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "none.lock" in done.stderr
