"""The process that writes an export: one at a time, ended with whoever asked, its words told when it fails."""

import contextlib
import sys
from pathlib import Path

import pytest

from gateway.outside.export_process import ExportProcess
from gateway.runtime.export_line import ExportBusy, ExportFailed

ENDLESS = "import sys\nwhile True: sys.stdout.write('x' * 70_000); sys.stdout.flush()"
ECHO = "import sys; print(*sys.argv[1:])"
FAILS = "import sys; sys.stderr.write('dripwatch: the journal is not there'); sys.exit(2)"


def running(program: str, tell_s: float = 60.0) -> ExportProcess:
    """An export by another program."""
    return ExportProcess(Path("j.db"), (sys.executable, "-c", program), tell_s)


async def test_what_it_writes_is_given_on():
    """With the journal and the options that were asked for."""
    told = [piece async for piece in running(ECHO).pieces(["--format=csv"])]
    assert b"".join(told) == b"--journal j.db --format=csv\n"


async def test_there_is_one_at_a_time_and_it_ends_with_its_reader():
    """However much is still to come; then the next may begin."""
    process = running(ENDLESS)
    async with contextlib.aclosing(process.pieces([])) as first:
        assert await anext(first)
        with pytest.raises(ExportBusy):
            await anext(process.pieces([]))
    async with contextlib.aclosing(process.pieces([])) as second:
        assert await anext(second)


async def test_its_own_words_say_what_is_wrong():
    """Without the program's name before them; and so does a time that is over."""
    with pytest.raises(ExportFailed, match=r"^the journal is not there$"):
        await anext(running(FAILS).pieces([]))
    with pytest.raises(ExportFailed, match="longer than 0 s"):
        async for _ in running(ENDLESS, 0.2).pieces([]):
            pass
