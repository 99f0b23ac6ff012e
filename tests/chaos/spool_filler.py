"""A program that fills a spool until it is killed: `python -m tests.chaos.spool_filler PATH`; says each frame that is durable."""

import asyncio
import sys
from pathlib import Path

from gateway.bridge.keeper import Keeper
from tests.support.bridge_parts import LIMITS, seen


async def fill(path: Path) -> None:
    """Put, commit, hand out, call some done; print `kept BOOT SEQ` and `done BOOT SEQ`."""
    keeper = Keeper(path, LIMITS)
    count = 0
    while True:
        for _ in range(3):
            count += 1
            keeper.put("pump-01", "raw/generic-json", b"%d" % count, seen(), urgent=count % 7 == 0)
        await keeper.commit()
        taken = await keeper.take(5)
        for frame in taken:
            print("kept", frame.boot, frame.seq)
        for frame in taken[:3]:
            print("done", frame.boot, frame.seq, flush=True)
            keeper.done(frame)
        for frame in taken[3:]:
            keeper.hand_back(frame)


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
