"""An SMS centre on loopback, spoken by another implementation of SMPP than ours (smpp34), in a process of its own.

In its own process because it is foreign code that may take its process down, and because a lost line is then a real one. It
writes what happens as JSON lines into a file and does what it is told, one JSON a line, on its standard input. Run as a program
it is the centre itself: `python -m tests.support.smsc PORT FILE`.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import smpp34

from gateway.outside.sms_text import from_gsm7
from tests.support.process import free_port, stop, wait_listening

SENDER = "13013"
NOBODY, LATER, HANG, DROP = "85290000404", "85290000503", "85290000999", "85290000888"
FAILS, NO_RECEIPT = "85290000666", "85290000777"  # accepted; the receipt says "undeliverable", or never comes


class Centre:
    """The process with its file. `arrived` is what it accepted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._file = folder / "smsc.jsonl"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Everything that happened so far."""
        text = self._file.read_text() if self._file.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def happened(self, what: str) -> list[dict[str, Any]]:
        """The lines of this kind."""
        return [line for line in self.lines if line["what"] == what]

    @property
    def arrived(self) -> list[tuple[str, str]]:
        """(number, text) of every accepted message that is there whole, in order; parts put together."""
        whole: list[tuple[str, str]] = []
        parts: dict[tuple[str, int], list[str]] = {}
        for line in self.happened("accepted"):
            raw, heading = bytes.fromhex(line["message"]), bool(line["esm_class"] & 0x40)
            body = raw[raw[0] + 1 :] if heading else raw
            text = body.decode("utf-16-be") if line["data_coding"] == 8 else from_gsm7(body)
            so_far = parts.setdefault((line["to"], raw[3] if heading else -1), [])
            so_far.append(text)
            if not heading or len(so_far) == raw[4]:
                whole.append((line["to"], "".join(parts.pop((line["to"], raw[3] if heading else -1)))))
        return whole

    def start(self) -> None:
        """Start and return when it listens."""
        command = [sys.executable, "-m", "tests.support.smsc", str(self.port), str(self._file)]
        with self._file.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        wait_listening(self.port, self._process)

    def stop(self) -> None:
        """End it by pid."""
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            stop(self._process)
            self._process = None

    def tell(self, do: str, **facts: Any) -> None:
        """`release` hanging messages; `deliver` one (source, text, and what else a deliver_sm has); `receipt` for an id."""
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **facts}).encode() + b"\n")
            self._process.stdin.flush()


@contextlib.contextmanager
def smsc(folder: Path) -> Iterator[Centre]:
    """It runs for the length of a with-block."""
    centre = Centre(folder)
    try:
        centre.start()
        yield centre
    finally:
        centre.stop()


# ---- the centre's own process --------------------------------------------------------------------------------------------


class _Running:
    """What the process does."""

    def __init__(self, server: smpp34.Server, file: Path) -> None:
        self._server, self._file = server, file
        self._sessions: dict[str, smpp34.Esme] = {}
        self._hanging: list[smpp34.SubmitSmEvent] = []
        self._released = False
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, what: str, **facts: Any) -> None:
        with self._file.open("a") as out:
            out.write(json.dumps({"what": what, **facts}) + "\n")

    async def serve(self) -> None:
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions[event.session_id] = event
                self.note("bound", system_id=event.system_id)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._submitted(event)
            else:
                self._sessions.pop(event.session_id, None)
                self.note("unbound")

    def _submitted(self, event: smpp34.SubmitSmEvent) -> None:
        to = event.destination_addr
        if to == NOBODY:
            event.reject(smpp34.ESME_RINVDSTADR)
        elif to == LATER:
            event.reject(smpp34.ESME_RMSGQFUL)
        elif to == DROP:
            os._exit(1)
        elif to == HANG and not self._released:
            self._hanging.append(event)
            self.note("hanging")
        else:
            self._accept(event)

    def _accept(self, event: smpp34.SubmitSmEvent) -> None:
        self._count += 1
        provider_id, to = f"m{self._count}", event.destination_addr
        event.accept(message_id=provider_id)
        self.note(
            "accepted",
            to=to,
            source=event.source_addr,
            id=provider_id,
            message=bytes(event.short_message).hex(),
            data_coding=event.data_coding,
            esm_class=event.esm_class,
        )
        if event.registered_delivery & 1 and to != NO_RECEIPT:
            state = "UNDELIV" if to == FAILS else "DELIVRD"
            self._spawn(self._receipt({"id": provider_id, "state": state, "source": to}))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receipt(self, told: dict[str, Any]) -> None:
        words = f"id:{told['id']} sub:001 dlvrd:001 done date:2603020801 stat:{told['state']} err:000 text:"
        await self._deliver({"source": told.get("source", "85290000001"), "text": words, "esm_class": 4})

    async def _deliver(self, told: dict[str, Any]) -> None:
        coding = told.get("data_coding", 0)
        message = told["text"].encode("utf-16-be" if coding == 8 else "latin-1")
        for session in list(self._sessions.values())[-1:]:
            answer = await session.deliver_sm(
                SENDER, message, source_addr=told["source"], esm_class=told.get("esm_class", 0), data_coding=coding
            )
            self.note("delivered", status=answer.command_status, text=told["text"])

    async def obey(self) -> None:
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            told = json.loads(line)
            if told["do"] == "release":
                self._released = True
                for event in self._hanging:
                    self._accept(event)
                self._hanging.clear()
            elif told["do"] == "receipt":
                self._spawn(self._receipt(told))
            else:
                self._spawn(self._deliver(told))
        os._exit(0)  # whoever started us is done; foreign code need not tidy up


async def _main(port: int, file: Path) -> None:
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="centre")
    await server.start()
    running = _Running(server, file)
    await asyncio.gather(running.serve(), running.obey())


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2])))
