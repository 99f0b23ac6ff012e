"""A console around a scripted gateway, for a browser: on a free port of loopback, in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """Where it answers, and the loop in which everything that it knows may be changed."""

    url: str
    loop: asyncio.AbstractEventLoop


@contextlib.contextmanager
def served(api: FastAPI) -> Iterator[Served]:
    """It serves for the length of a with-block; in the end no stream is waited for."""
    server = uvicorn.Server(
        uvicorn.Config(api, host="127.0.0.1", port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=0)
    )
    ready = threading.Event()

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        ready.set()
        await serving

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    listening = server.servers[0]
    try:
        yield Served(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", listening.get_loop())
    finally:
        server.should_exit = server.force_exit = True
        thread.join(PATIENCE_S)
