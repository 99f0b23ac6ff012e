"""A real HTTP server on loopback that behaves as the last part of the path asks."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass(slots=True)
class WebHook:
    """Records each POST's (recipient, JSON).

    `nobody` gets 404, `later` 503, `busy` 429, `hang` no answer until `release`, `drop` a dead line after the request was read.
    """

    port: int = 0
    calls: list[tuple[str, Any]] = field(default_factory=list)
    hanging: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let hanging requests go on."""
        self._released.set()

    def wait_hanging(self, count: int) -> None:
        """Return when `count` more requests hang."""
        for _ in range(count):
            assert self.hanging.acquire(timeout=30), "the requests did not arrive"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Behave."""
        who = unquote(request.path.partition("?")[0].rpartition("/")[2])
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        if who.startswith("hang"):
            self.hanging.release()
            self._released.wait()
        if who == "drop":
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        status = {"nobody": 404, "later": 503, "busy": 429}.get(who, 200)
        if status == 200:
            self.calls.append((who, body))
        with contextlib.suppress(OSError):  # whoever hung has often stopped waiting
            request.send_response(status)
            request.send_header("Content-Length", "0")
            request.end_headers()


@contextlib.contextmanager
def web_hook() -> Iterator[WebHook]:
    """Run it for the length of a with-block."""
    hook = WebHook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.release()
        server.shutdown()
        server.server_close()
        thread.join()
