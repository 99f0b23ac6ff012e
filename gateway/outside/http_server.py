"""Serves an ASGI application with uvicorn inside our own event loop."""

import asyncio
import contextlib
import logging
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


def check_listen(host: str, port: int) -> None:
    """Find out before anything begins whether the address can be had. Raises `CannotListen`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise CannotListen(_taken(host, port)) from None


def _taken(host: str, port: int) -> str:
    return f"cannot listen on {host}:{port}; is another gateway running there?"


class _Server(uvicorn.Server):
    """Leaves the process's signals to the composition root."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


async def serve(application: Any, *, host: str, port: int) -> None:
    """Serve until cancelled. Raises `CannotListen`."""
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_level="warning",
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # which proxy is believed is the ward's to say: gateway/console/door.py
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(_served(server))
    try:
        started = await asyncio.shield(serving)
    except asyncio.CancelledError:
        # A live page is an answer that never ends: it is cut off, and uvicorn need not complain about each.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        server.should_exit = server.force_exit = True
        await serving
        raise
    if not started:
        raise CannotListen(_taken(host, port))


async def _served(server: uvicorn.Server) -> bool:
    """Serve to the end; False when it never listened (uvicorn then ends the process, which is not its business here)."""
    try:
        await server.serve()
    except SystemExit:
        return False
    return server.started
