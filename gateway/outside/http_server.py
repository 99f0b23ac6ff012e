"""Serves an ASGI application with uvicorn inside our own event loop."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn


class CannotListen(Exception):
    """The address is taken or not ours; the message says which."""


def free_port(wanted: int) -> int:
    """`wanted` where 127.0.0.1 has it free, else any free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(uvicorn.Server):
    """Leaves the process's signals to the composition root."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


async def serve(application: Any, *, host: str, port: int) -> None:
    """Serve until cancelled. Raises `CannotListen`."""
    config = uvicorn.Config(
        application, host=host, port=port, log_level="warning", lifespan="off", server_header=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    try:
        await server.serve()
    except SystemExit:
        raise CannotListen(f"cannot listen on {host}:{port}; is another gateway running there?") from None
    if not server.started:
        raise CannotListen(f"cannot listen on {host}:{port}; is another gateway running there?")
