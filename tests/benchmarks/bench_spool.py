"""What a bridge writes to its card in a day, and how fast a backlog leaves the spool."""

import asyncio
import tempfile
import time
from pathlib import Path

from gateway.bridge.frames import Seen
from gateway.bridge.keeper import Keeper, SpoolLimits
from gateway.domain.words import ClockQuality
from gateway.scenario.serial_pumps.bcc import Rack, SpacePump

REPORTS_A_DAY = 2_880  # one each 30 s, as bridge.yaml has it unless it says otherwise
PUMPS = 2
MEASURED = 720  # reports of each pump; the rest of the day is like them
BACKLOG = 20_000
HERE = Path("build")  # on a disk: /tmp may be memory
_LIMITS = SpoolLimits(max_bytes=256 << 20, max_frames=1_000_000, commit_ms=10_000)


def run() -> dict[str, float]:
    """MiB a day of two B. Braun pumps, with and without a network; frames/s out of a backlog."""
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        return {
            "spool_mib_a_day": asyncio.run(_day(Path(folder) / "up.db", sends=True)),
            "spool_mib_a_day_without_network": asyncio.run(_day(Path(folder) / "down.db", sends=False)),
            "spool_out_per_s": asyncio.run(_drain(Path(folder) / "drain.db")),
        }


async def _day(path: Path, *, sends: bool) -> float:
    rack = Rack({"11": SpacePump()}, started_at=0)
    plain = b"\x0100022\x021/1/1>MEM:GET\x03"
    question = (plain + b"%05d\x04" % (sum(plain) % 256)).replace(b"E", b"EE")
    keeper, before = Keeper(path, _LIMITS), _written()
    for report in range(MEASURED):
        for pump in range(PUMPS):
            seen = Seen(report * 30_000, ClockQuality.SYNCED, "k", report * 30_000)
            keeper.put(f"pump-{pump}", "raw/bbraun-bcc", rack.receive(question, report * 30_000), seen)
            await keeper.commit()  # two pumps report at different seconds
            if sends:
                for frame in await keeper.take(20):
                    keeper.done(frame)
    await keeper.close()
    return (_written() - before) / MEASURED * REPORTS_A_DAY / (1 << 20)


async def _drain(path: Path) -> float:
    keeper = Keeper(path, _LIMITS)
    for number in range(BACKLOG):
        keeper.put("pump-1", "raw/bbraun-bcc", bytes(600), Seen(number, ClockQuality.SYNCED, "k", number))
        if number % 500 == 0:
            await keeper.commit()
    await keeper.commit()
    began, committing = time.perf_counter(), asyncio.create_task(keeper.run())
    while keeper.waiting:
        for frame in await keeper.take(20):
            keeper.done(frame)
    took_s = time.perf_counter() - began
    committing.cancel()
    await asyncio.gather(committing, return_exceptions=True)
    await keeper.close()
    return BACKLOG / took_s


def _written() -> int:
    """Bytes that this process has sent to a disk."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
