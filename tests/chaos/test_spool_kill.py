"""kill -9 of a bridge that writes: what could have been sent is there or was done, and no number is given out twice."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.bridge.keeper import Keeper
from tests.support.bridge_parts import LIMITS, seen
from tests.support.gateway_process import ROOT

ROUNDS = 6

pytestmark = pytest.mark.chaos


def fill_and_kill(path: Path, *, seed: int) -> list[list[str]]:
    """Let the program fill until it has said a random number of lines; kill it; all whole lines, in words."""
    command = [sys.executable, "-m", "tests.chaos.spool_filler", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        said = [program.stdout.readline() for _ in range(random.Random(seed).randint(8, 200))]
        program.kill()
        said += program.stdout.readlines()
        program.wait(30)
    return [line.decode().split() for line in said if line.endswith(b"\n")]


@pytest.mark.hazard("H-35")
async def test_a_number_that_may_have_gone_out_is_kept_or_done(tmp_path: Path):
    """Several kills of one spool: each start goes on behind every number that was ever handed out."""
    path = tmp_path / "spool.db"
    kept, done = set[int](), set[int]()
    for seed in range(ROUNDS):
        said = fill_and_kill(path, seed=seed)
        assert len({boot for _, boot, _ in said}) == 1
        new = {int(seq) for what, _, seq in said if what == "kept"}
        assert not (new - kept) & done, "a number came again after it was done"
        kept |= new
        done |= {int(seq) for what, _, seq in said if what == "done"}
        keeper = Keeper(path, LIMITS)
        assert keeper.findings == {}
        waiting = {frame.seq for frame in await keeper.take(10_000)} if keeper.waiting else set[int]()
        assert kept - done <= waiting, "what was handed out and not done is gone"
        again = keeper.put("pump-01", "raw/generic-json", b"", seen())
        assert again.seq > max(kept)
        await keeper.close()
    assert len(done) > ROUNDS
