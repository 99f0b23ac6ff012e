"""The serial part of `simulate`: a virtual pump on a pseudo-terminal, with faults, played with by keyboard or script."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.instants import SECOND_MS, Instant
from gateway.field.speaking import FINE, LinedWrong, Wrong, existing_file
from gateway.outside.kernel_clock import uptime_ms
from gateway.outside.pty_port import PtyPort
from gateway.scenario.serial_pumps.bcc_pump import ORDERS as BCC_ORDERS
from gateway.scenario.serial_pumps.bcc_pump import BccPump
from gateway.scenario.serial_pumps.faults import BadLine, Faults
from gateway.scenario.serial_pumps.relay_box import ORDERS as BOX_ORDERS
from gateway.scenario.serial_pumps.relay_box import RelayBox
from gateway.scenario.serial_pumps.virtual import Order, VirtualPump

FAMILIES = ("bbraun-bcc", "relay-and-scale")
UNPLUGGED_S = 1.0
SCRIPT_LINES_MAX = 10_000
LINE_BYTES_MAX = 1_024  # of the keyboard; what is longer is no order

Write = Callable[[str], None]
Script = list[tuple[int, Order]]  # (ms from the start, what to do)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A virtual pump as it was asked for. `every_s` is for pumps that speak by themselves."""

    family: str
    faults: Faults
    seed: int
    script: str | None = None
    link: str | None = None
    minutes: float | None = None
    every_s: int = 60


def run_serial(asked: Asked, write: Write) -> int:
    """Run it until Ctrl-C, `quit`, or the minutes are over. Returns the exit code; raises `Wrong`."""
    if asked.family != "bbraun-bcc" and asked.faults.wrong_check:
        raise Wrong("--wrong-checksum: the frames of relay-and-scale have no check")
    started_at = uptime_ms()
    pump, orders = _pump(asked, started_at)
    script = read_script(asked.script, pump) if asked.script is not None else []
    with _link(asked.link, asked.family) as link, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(_Player(pump, PtyPort(link), asked, write), script, orders))
    return FINE


def read_script(name: str, pump: VirtualPump) -> Script:
    """`SECONDS ORDER` a line, seconds from the start; `#` begins a remark. Raises `LinedWrong` with every line that is wrong."""
    lines = existing_file(name).read_text(encoding="utf-8", errors="replace").splitlines()
    if len(lines) > SCRIPT_LINES_MAX:
        raise Wrong(f"{name}: at most {SCRIPT_LINES_MAX} lines")
    script: Script = []
    wrong = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        seconds, _, order = words.partition(" ")
        try:
            script.append((_ms(seconds), pump.understand(order)))
        except ValueError as error:
            wrong.append(f"{name}, line {number}: {error}")
    if wrong:
        raise LinedWrong(wrong)
    return sorted(script, key=lambda step: step[0])


def _ms(seconds: str) -> int:
    try:
        found = round(float(seconds) * SECOND_MS)
    except (ValueError, OverflowError):
        found = -1
    if found < 0:
        raise ValueError(f"a line is SECONDS ORDER, like 12.5 stop; {seconds!r} is no number of seconds")
    return found


def _pump(asked: Asked, at: Instant) -> tuple[VirtualPump, str]:
    if asked.family == "bbraun-bcc":
        return BccPump(at), BCC_ORDERS
    return RelayBox(at, every_ms=asked.every_s * SECOND_MS), BOX_ORDERS


@contextlib.contextmanager
def _link(given: str | None, family: str) -> Iterator[Path]:
    """The port's name: given, or in a folder that goes with us."""
    if given is None:
        with tempfile.TemporaryDirectory(prefix="dripwatch-") as folder:
            yield Path(folder) / family
        return
    path = Path(given)
    if path.is_symlink() and not path.exists():
        path.unlink()  # of a virtual pump that was killed
    if path.is_symlink() or path.exists():
        raise Wrong(f"{path}: there is something of this name; give --link another")
    if not path.parent.is_dir():
        raise Wrong(f"{path.parent}: there is no such folder; give --link a place in one")
    yield path


class _Player:
    """The pump at its port; everything happens in one event loop."""

    def __init__(self, pump: VirtualPump, port: PtyPort, asked: Asked, write: Write) -> None:
        self.pump, self.port, self.write = pump, port, write
        self._line, self._faults, self._minutes = BadLine(asked.faults, asked.seed), asked.faults, asked.minutes
        self._stirred = asyncio.Event()  # by an order: what speaks by itself may have to speak now
        self.ended = asyncio.Event()

    async def until_the_end(self) -> None:
        """The minutes, or `quit`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._minutes is None else self._minutes * 60):
                await self.ended.wait()

    async def answer(self) -> None:
        """Whoever asks."""
        while True:
            await self._send(self.pump.hear(await self.port.receive(), uptime_ms()))

    async def speak(self) -> None:
        """Unasked, where the pump does."""
        while True:
            self._stirred.clear()
            next_at = self.pump.next_at
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if next_at is None else max(0, next_at - uptime_ms()) / SECOND_MS):
                    await self._stirred.wait()
            await self._send(self.pump.speak(uptime_ms()))

    async def pull(self) -> None:
        """The cable, again and again."""
        while every_ms := self._faults.unplugged_every_ms:
            await asyncio.sleep(every_ms / SECOND_MS)
            self.port.unplug()
            self.write("the cable is out")
            await asyncio.sleep(UNPLUGGED_S)
            self.port.plug()
            self.write("the cable is in")

    async def follow(self, script: Sequence[tuple[int, Order]]) -> None:
        """The script, from now on."""
        started_at = uptime_ms()
        for after_ms, order in script:
            await asyncio.sleep(max(0, started_at + after_ms - uptime_ms()) / SECOND_MS)
            self.obey(order)

    def obey(self, order: Order) -> None:
        """One order."""
        self.write(order(uptime_ms()))
        self._stirred.set()

    def typed(self, line: str) -> None:
        """One line of the keyboard."""
        if line.strip().lower() in ("quit", "exit"):
            self.ended.set()
        elif line.strip():
            try:
                self.obey(self.pump.understand(line))
            except ValueError as error:
                self.write(f"{error}; quit ends")

    async def _send(self, frame: bytes) -> None:
        if not frame:
            return
        spoilt = self._line.spoil(frame)
        if not self._faults.slow_ms:
            self.port.send(spoilt)
            return
        for at in range(len(spoilt)):
            self.port.send(spoilt[at : at + 1])
            await asyncio.sleep(self._faults.slow_ms / SECOND_MS)


async def _run(player: _Player, script: Script, orders: str) -> None:
    try:
        player.port.plug()
    except OSError as error:
        raise Wrong(f"{player.port.link}: {(error.strerror or 'no pseudo-terminal').lower()}") from None
    jobs = [asyncio.create_task(job) for job in (player.answer(), player.speak(), player.pull(), player.follow(script))]
    try:
        player.write(str(player.port.link))
        player.write(f"orders: {orders}; quit ends")
        with _keyboard(player.typed):
            await player.until_the_end()
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        player.port.unplug()


@contextlib.contextmanager
def _keyboard(typed: Callable[[str], None]) -> Iterator[None]:
    """Lines of standard input, where it can be waited for: a terminal or a pipe, not a file."""
    loop, held = asyncio.get_running_loop(), bytearray()
    try:
        number = sys.stdin.fileno()
        loop.add_reader(number, lambda: _read(loop, number, held, typed))
    except (OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(number)


def _read(loop: asyncio.AbstractEventLoop, number: int, held: bytearray, typed: Callable[[str], None]) -> None:
    try:
        data = os.read(number, LINE_BYTES_MAX)
    except OSError:
        data = b""
    if not data:
        loop.remove_reader(number)
        return
    *lines, rest = bytes(held + data).split(b"\n")
    held[:] = rest[-LINE_BYTES_MAX:]
    for line in lines:
        typed(line.decode("utf-8", "replace"))
