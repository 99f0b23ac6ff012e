"""An audit told by a process of its own, at low priority: a long journal takes minutes, and no page may wait for it."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.runtime.audit_line import AuditBusy, AuditFailed

TELL_S = 600.0  # a million records take a minute or two
NICE = 10
SAID_MAX = 300  # characters of what the process says is wrong

COMMAND = (sys.executable, "-m", "gateway", "audit")


class AuditProcess:
    """Tells the audit of the journal at `path`, one at a time. `command` is what it runs, `tell_s` how long that may take."""

    def __init__(self, path: Path, command: Sequence[str] = COMMAND, tell_s: float = TELL_S) -> None:
        self._path = path
        self._command = tuple(command)
        self._tell_s = tell_s
        self._busy = False

    async def lines(self, options: Sequence[str]) -> list[dict[str, Any]]:
        """What `dripwatch audit` tells with these options, as its JSON objects. Raises `AuditBusy`, `AuditFailed`."""
        if self._busy:
            raise AuditBusy("another audit is being told; try again in a moment")
        self._busy = True
        try:
            told = await self._run(("--journal", str(self._path), "--format", "jsonl", *options))
        finally:
            self._busy = False
        return [json.loads(line) for line in told.splitlines()]

    async def _run(self, options: Sequence[str]) -> str:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command, *options, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        try:
            async with asyncio.timeout(self._tell_s):
                out, err = await process.communicate()
        except TimeoutError:
            raise AuditFailed(f"the audit took longer than {self._tell_s:.0f} s; ask for a shorter period") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            said = err.decode(errors="replace").strip().removeprefix("dripwatch: ")[:SAID_MAX]
            raise AuditFailed(said or f"the audit ended with {process.returncode}")
        return out.decode()
