"""A telephone line between us and a real HTTP server: requests that name certain numbers hang in it, or lose their answer."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """`hang` holds requests with this text until `release`; of those with `drop` the answer is lost on its way back."""

    to_port: int
    hang: bytes
    drop: bytes
    port: int = 0
    _released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let hanging requests go on, those that are still to come too."""
        self._released.set()

    def carry(self, caller: socket.socket) -> None:
        """One request there and its answer back; each connection carries one."""
        request = _whole_request(caller)
        if self.hang in request:
            self._released.wait()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.to_port), timeout=60) as server:
            server.sendall(request)
            answer = server.recv(65_536)
            if self.drop not in request:
                caller.sendall(answer)  # whoever hung has often stopped waiting


def _whole_request(caller: socket.socket) -> bytes:
    """Headers and body, as far as the caller sends them."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += (received := caller.recv(65_536))
        if not received:
            return request
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(lengths) and (received := caller.recv(65_536)):
        body += received
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def line(to_port: int, *, hang: str, drop: str) -> Iterator[Line]:
    """It is there for the length of a with-block."""
    made = Line(to_port, hang.encode(), drop.encode())

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            made.carry(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.release()
            server.shutdown()
            thread.join()
