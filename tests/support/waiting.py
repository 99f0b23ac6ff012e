"""Waiting for what another process does."""

import asyncio
from collections.abc import Callable

POLL_S = 0.05


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return when `condition` holds; fail when it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(POLL_S)
