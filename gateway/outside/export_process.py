"""An export told by a process of its own, at low priority, piece by piece: however long it is, little of it is held in memory."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from gateway.runtime.export_line import ExportBusy, ExportFailed

TELL_S = 3_600.0  # a year of a large ward takes many minutes
NICE = 10
PIECE_BYTES = 65_536
SAID_MAX = 300  # characters of what the process says is wrong

COMMAND = (sys.executable, "-m", "gateway", "export")


class ExportProcess:
    """Exports the journal at `path`, one export at a time. `command` is what it runs, `tell_s` how long that may take."""

    def __init__(self, path: Path, command: Sequence[str] = COMMAND, tell_s: float = TELL_S) -> None:
        self._path = path
        self._command = tuple(command)
        self._tell_s = tell_s
        self._busy = False

    async def pieces(self, options: Sequence[str]) -> AsyncGenerator[bytes, None]:
        """What `dripwatch export` writes with these options, as it comes. Raises `ExportBusy`, `ExportFailed`."""
        if self._busy:
            raise ExportBusy("another export is being written; try again when it is done")
        self._busy = True
        try:
            run = self._run((*self._command, "--journal", str(self._path), *options))
            async with asyncio.timeout(self._tell_s), contextlib.aclosing(run) as coming:
                async for piece in coming:
                    yield piece
        except TimeoutError:
            raise ExportFailed(f"the export took longer than {self._tell_s:.0f} s; ask for a shorter period") from None
        finally:
            self._busy = False

    async def _run(self, command: Sequence[str]) -> AsyncGenerator[bytes, None]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        out, err = process.stdout, process.stderr
        if out is None or err is None:
            raise ExportFailed("the export's process has no output")
        said = asyncio.create_task(err.read())  # beside the output, so that neither waits for the other
        try:
            while piece := await out.read(PIECE_BYTES):
                yield piece
            if await process.wait() != 0:
                words = (await said).decode(errors="replace").strip().removeprefix("dripwatch: ")[:SAID_MAX]
                raise ExportFailed(words or f"the export ended with {process.returncode}")
        finally:
            said.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()
