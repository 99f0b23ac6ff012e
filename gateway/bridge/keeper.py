"""Keeps frames until the broker has them: numbers them, commits in batches, hands out what is due, and says when it cannot.

The disk is written by one thread at a time, never by the loop: a card that hangs for a minute stops no reader. A disk that fails
costs its history, not the present: the keeper then goes on in memory, says so, and sends on what it could still read.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.bridge.frames import Frame, Seen
from gateway.bridge.spool import Spool, SpoolFailed, SpoolInUse, set_aside

HURRY_AT = 500  # frames that wait for the disk: more are committed at once
FRESH_MAX = 10_000  # full, because the disk hangs: only frames with alarms are still taken; the others are holes in the numbers
MEMORY_BYTES_MAX = 16 << 20  # without a disk
MEMORY_FRAMES_MAX = 50_000
DISK_PATIENCE_S = 20.0  # then the card is taken for dead: alarms must not wait for it
DONE_MAX = 100  # sent frames whose rows wait to be deleted; more: a commit of their own

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """How much the spool may hold, and how long a frame without alarm may wait for the next commit (ms)."""

    max_bytes: int
    max_frames: int
    commit_ms: int


class Keeper:
    """One spool and what is in memory before and beside it. `run` commits; everything else is called from the same loop."""

    def __init__(self, path: Path, limits: SpoolLimits) -> None:
        """Opens the spool; a damaged one is set aside, and where there can be none memory must do. Raises `SpoolInUse`."""
        self._limits = limits
        self.findings: dict[str, str] = {}
        self._spool = self._opened(path)
        self._fresh: list[Frame] = []
        self._done: set[int] = set()
        self._sending: set[int] = set()
        self._marks: dict[str, str] = {}
        self._next_id = self._spool.newest_id + 1
        self._lock = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._stored = asyncio.Event()
        self.dropped = int(self._spool.marks.get("dropped", "0"))
        self._told_again_at = 0
        if self._spool.count:
            self._stored.set()

    # ---- in ----------------------------------------------------------------------------------------------------------

    def put(self, device: str, channel: str, body: bytes, seen: Seen, *, slot: str | None = None, urgent: bool = False) -> Frame:
        """Number a frame and keep it; durable within the commit delay, at once where it is `urgent`."""
        seq = int(self._recall(f"seq:{device}", "0")) + 1
        self._marks |= {f"seq:{device}": str(seq), "id": str(self._next_id)}
        frame = Frame(self._next_id, device, channel, self._recall("boot", ""), seq, slot, seen, urgent, body)
        self._next_id += 1
        if urgent or len(self._fresh) < FRESH_MAX:
            self._fresh.append(frame)
        else:
            self._note_dropped(1)
        if urgent or len(self._fresh) >= HURRY_AT:
            self._hurry.set()
        return frame

    def remember(self, name: str, value: str) -> None:
        """Keep a small fact across restarts; written with the next commit."""
        self._marks[name] = value

    def recall(self, name: str) -> str:
        """What was remembered, or an empty text."""
        return self._recall(name, "")

    # ---- out ---------------------------------------------------------------------------------------------------------

    async def take(self, limit: int) -> list[Frame]:
        """Wait for durable frames that nobody is sending yet; at most `limit`, alarms first. Hand each back or call it done."""
        while True:
            self._stored.clear()
            held = self._done | self._sending
            async with self._lock:
                frames = await self._due(limit, held)
            if frames:
                self._sending |= {frame.id for frame in frames}
                self._stored.set()
                return frames
            await self._stored.wait()

    def done(self, frame: Frame) -> None:
        """The broker has it."""
        self._sending.discard(frame.id)
        self._done.add(frame.id)
        if len(self._done) >= DONE_MAX:
            self._hurry.set()

    def hand_back(self, frame: Frame) -> None:
        """It could not be sent; it will be handed out again, in its place."""
        self._sending.discard(frame.id)
        self._stored.set()

    @property
    def waiting(self) -> int:
        """Frames that the broker does not have yet."""
        return self._spool.count + len(self._fresh) - len(self._done)

    @property
    def full_percent(self) -> int:
        """How full the spool is."""
        return self._spool.full_percent

    # ---- the disk ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Commit at least once a commit delay, and at once when something cannot wait; until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._limits.commit_ms / 1000):
                    await self._hurry.wait()
            except TimeoutError:
                if not self._fresh and not self._marks:
                    continue  # rows to be deleted alone are not worth a write: the next frame's commit takes them along
            await self.commit()

    async def commit(self) -> None:
        """Write what waits. A disk that fails is left for memory; no frame is lost by that."""
        async with self._lock:
            self._hurry.clear()
            fresh, done, marks = self._fresh, frozenset(self._done), self._marks
            if not fresh and not done and not marks:
                return
            self._fresh, self._marks = [], {}
            self._spool.marks.update(marks)  # what `put` numbers meanwhile goes on from here
            dropped = await self._write(fresh, done, marks)
            self._done -= done
            if not self.waiting:
                self.findings.pop("spool-full", None)
                self._told_again_at = 0
        if dropped:
            self._note_dropped(dropped)
        if fresh:
            self._stored.set()

    async def close(self) -> None:
        """Write what waits and release the file."""
        await self.commit()
        self._spool.close()

    async def _write(self, fresh: list[Frame], done: frozenset[int], marks: dict[str, str]) -> int:
        """Into the file, or into memory where the file fails or does not answer. Returns how many frames were dropped."""
        spool = self._spool
        try:
            return await _patiently(partial(spool.write, fresh, done, marks))
        except TimeoutError:
            return self._flee("the disk does not answer", fresh, marks)
        except SpoolFailed as failed:
            return self._flee(str(failed), fresh, marks, await self._salvaged(spool, done))

    async def _due(self, limit: int, held: Collection[int]) -> list[Frame]:
        """From the file; a file that fails or does not answer is left for memory, with all that waits for it."""
        spool, readable = self._spool, list[Frame]()
        try:
            return await _patiently(partial(spool.due, limit, held))
        except TimeoutError:
            why = "the disk does not answer"
        except SpoolFailed as failed:
            why, readable = str(failed), await self._salvaged(spool, frozenset(self._done))
        fresh, marks = self._fresh, self._marks
        self._fresh, self._marks = [], {}
        dropped = self._flee(why, fresh, marks, readable)
        if dropped:
            self._note_dropped(dropped)
        return [frame for frame in self._spool.due(limit + len(held), ()) if frame.id not in held][:limit]

    async def _salvaged(self, spool: Spool, done: Collection[int]) -> list[Frame]:
        """What can still be read of a file that failed; it is closed then."""
        try:
            readable = await _patiently(lambda: [frame for frame in spool.all() if frame.id not in done])
        except TimeoutError:
            return []
        spool.close()
        return readable

    def _flee(self, why: str, fresh: list[Frame], marks: dict[str, str], readable: Sequence[Frame] = ()) -> int:
        """Go on in memory, under a new name of the numbering: what the disk does not remember must not look like its own."""
        _log.error("the spool cannot be written (%s); going on in memory", why)
        self.findings["spool-broken"] = f"the spool cannot be written ({why}): frames are kept in memory only"
        kept = dict(self._spool.marks)
        self._spool = Spool.open(None, max_bytes=MEMORY_BYTES_MAX, max_frames=MEMORY_FRAMES_MAX)
        boot = self._spool.marks["boot"]
        moved = [*readable, *(replace(frame, boot=boot) for frame in fresh)]
        return self._spool.write(moved, (), kept | marks | {"boot": boot})

    def _note_dropped(self, count: int) -> None:
        self.dropped += count
        self.remember("dropped", str(self.dropped))
        self.findings["spool-full"] = f"the spool is full: {self.dropped} frames were dropped, the oldest first, alarms last"
        if self.dropped >= self._told_again_at:  # a line a frame would fill the log next
            self._told_again_at = 2 * self.dropped
            _log.warning("%s", self.findings["spool-full"])

    def _recall(self, name: str, default: str) -> str:
        return self._marks.get(name) or self._spool.marks.get(name, default)

    def _opened(self, path: Path) -> Spool:
        limits = {"max_bytes": self._limits.max_bytes, "max_frames": self._limits.max_frames}
        try:
            return Spool.open(path, **limits)
        except SpoolInUse:
            raise
        except SpoolFailed as failed:
            damaged = str(failed)
        try:
            aside = set_aside(path)
            spool = Spool.open(path, **limits)
        except SpoolFailed as failed:  # a card that can no longer be written still lets a program run
            self.findings["spool-broken"] = f"the spool cannot be used ({damaged}; {failed}): frames are kept in memory only"
            _log.error("%s", self.findings["spool-broken"])
            return Spool.open(None, max_bytes=MEMORY_BYTES_MAX, max_frames=MEMORY_FRAMES_MAX)
        self.findings["spool-damaged"] = f"the spool could not be read ({damaged}); it is now {aside}, and a new one began"
        _log.error("%s", self.findings["spool-damaged"])
        return spool


async def _patiently(work: Callable[[], _T]) -> _T:
    """Run it in a thread: nobody touches the file before its end, also when the caller is cancelled.

    Raises `TimeoutError` after DISK_PATIENCE_S; the thread is left behind then. And what `work` raises.
    """
    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        await asyncio.wait((working,), timeout=DISK_PATIENCE_S)
    except asyncio.CancelledError:
        await asyncio.wait((working,), timeout=DISK_PATIENCE_S)
        raise
    if not working.done():
        raise TimeoutError
    return working.result()
