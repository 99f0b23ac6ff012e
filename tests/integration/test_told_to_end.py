"""What is told to end ends, whatever the libraries below do with a cancellation."""

import asyncio
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway import app
from gateway.outside.uplink import uplink
from tests.support.brokers import mosquitto


async def test_who_lost_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch):
    """A job that runs by itself; the members of a task group are cancelled once, by the group."""
    monkeypatch.setattr(app, "CANCEL_AGAIN_S", 0.01)
    lost = 0

    async def loses_two() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 2:
                    raise

    await asyncio.wait_for(app.first_of([loses_two()], 0.01), 20)
    assert lost == 3


@pytest.mark.servers
async def test_a_cancellation_is_not_lost_in_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Python 3.11's `wait_for`, which aiomqtt uses, swallows it when the answer comes in the same instant: the demo hung."""
    at_work = asyncio.Event()

    async def swallows(*_: Any, **__: Any) -> None:
        at_work.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    monkeypatch.setattr(aiomqtt.Client, "publish", swallows)
    with mosquitto(tmp_path) as broker:
        async with uplink("127.0.0.1", broker.port, "test") as publish:
            publishing = asyncio.create_task(publish("dw/v1/w/p/telemetry", b"{}"))
            await at_work.wait()
            publishing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await publishing
