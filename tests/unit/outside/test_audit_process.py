"""The audit's own process."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.outside.audit_process import NICE, AuditProcess
from gateway.runtime.audit_line import AuditBusy, AuditFailed
from tests.support.audited import lived, write_down


def script(text: str) -> tuple[str, ...]:
    """A program in the place of the command; its own options come behind the text."""
    return sys.executable, "-c", text


async def test_the_real_command_tells_a_journal(tmp_path):
    """Options pass through; the lines come back as objects."""
    records = lived(tmp_path, "at: 0m, enrol: {course: P-017, pump: p1}").journal
    file = await asyncio.to_thread(write_down, tmp_path / "dripwatch.db", records)
    (line,) = await AuditProcess(file).lines(["--what=enrolment"])
    assert line["text"].startswith("scenario enrolled P-017")


async def test_it_gives_way_to_the_gateway():
    """Pages come first: the process has a lower priority than we."""
    loop = "import json, os, sys\nwhile os.nice(0) < int(sys.argv[-1]): pass\nprint(json.dumps({'nice': os.nice(0)}))"
    assert await AuditProcess(Path("x"), script(loop)).lines([str(os.nice(0) + NICE)]) == [{"nice": os.nice(0) + NICE}]


async def test_one_at_a_time(tmp_path):
    """A second asker is told to come again; afterwards it is free."""
    go = tmp_path / "go"
    waits = script(f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)")
    process = AuditProcess(Path("x"), waits)
    first = asyncio.create_task(process.lines([]))
    await asyncio.sleep(0)
    with pytest.raises(AuditBusy):
        await process.lines([])
    go.touch()
    assert await first == []
    assert await process.lines([]) == []


async def test_what_goes_wrong_is_said_in_its_words():
    """The command's own line, without its name."""
    wrong = script("import sys; sys.exit('dripwatch: x: there is no journal here')")
    with pytest.raises(AuditFailed, match=r"^x: there is no journal here$"):
        await AuditProcess(Path("x"), wrong).lines([])
    with pytest.raises(AuditFailed, match="ended with 7"):
        await AuditProcess(Path("x"), script("import sys; sys.exit(7)")).lines([])


async def test_one_that_takes_too_long_is_ended(tmp_path):
    """Its process is gone, and the next may begin."""
    process = AuditProcess(Path("x"), script("import time; time.sleep(1000)"), tell_s=0.05)
    for _ in range(2):
        with pytest.raises(AuditFailed, match="shorter period"):
            await process.lines([])


async def test_an_asker_who_leaves_ends_it(tmp_path):
    """Nobody waits for the lines any more: the process does not go on."""
    pid, half = tmp_path / "pid", tmp_path / "half"
    says_who = f"import os, time\nopen({str(half)!r}, 'w').write(str(os.getpid()))\nos.rename({str(half)!r}, {str(pid)!r})\n"
    asked = asyncio.create_task(AuditProcess(Path("x"), script(f"{says_who}time.sleep(1000)")).lines([]))
    while not pid.exists():
        await asyncio.sleep(0.01)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
