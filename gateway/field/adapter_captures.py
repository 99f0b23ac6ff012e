"""Captures: what came over a line or a broker, with its times, one JSON object a line.

    {"dripwatch_capture": 1, "from": "serial", "at": 1772409600000}
    {"at": 1772409600123, "channel": "raw/bbraun-bcc", "slot": "11", "hex": "013030…"}
    {"at": 1772409601123, "channel": "telemetry", "topic": "dw/v1/ward/pump-017/telemetry", "hex": "7b22…"}

`at` is when the last of the bytes came, in ms UTC. The channel `bytes` holds bytes that nobody has cut into frames. Bytes are
kept as they were, and may hold names: a capture is written for its owner only. A last line that a crash has cut is left out.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from device_adapters.bounds import PAYLOAD_BYTES_MAX
from gateway.domain.instants import Instant
from gateway.field.adapter_frames import Caught
from gateway.field.speaking import Wrong

VERSION: Final = 1
LINE_CHARS_MAX: Final = 2 * PAYLOAD_BYTES_MAX + 4_096
FILE_BYTES_MAX: Final = (
    256 * 1024 * 1024
)  # a pump that is asked every second fills it in two days; then the capture ends, and says so

_MAGIC: Final = "dripwatch_capture"
_AT_MAX: Final = 4_133_980_799_999


class CaptureWriter:
    """A new file; each frame is handed to the system before the next is waited for. `full` once it may not grow."""

    def __init__(self, path: Path, came_from: str, at: Instant) -> None:
        try:
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        except FileExistsError:
            raise Wrong(f"{path}: there is such a file; a capture is never written over") from None
        except OSError as error:
            raise Wrong(f"{path}: {(error.strerror or 'cannot be written').lower()}") from None
        self._path = path
        self.frames = self.bytes = 0
        self._write({_MAGIC: VERSION, "from": came_from, "at": at})

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self.bytes >= FILE_BYTES_MAX

    def keep(self, caught: Caught) -> None:
        """One frame."""
        line: dict[str, Any] = {"at": caught.at, "channel": caught.channel}
        line |= {key: value for key in ("slot", "topic") if (value := getattr(caught, key)) is not None}
        self._write(line | {"hex": caught.body.hex()})
        self.frames += 1

    def close(self) -> None:
        """No more. What a full disk would not take is known already: each line was handed to the system by itself."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self.bytes += self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise Wrong(f"{self._path}: {(error.strerror or 'cannot be written').lower()}") from None


def is_capture(start: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return start.lstrip().startswith(b'{"' + _MAGIC.encode())


def read_capture(path: Path) -> Iterator[Caught]:
    """Its frames. Raises `Wrong` with the line of what cannot be read."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        number = 0
        while line := file.readline(LINE_CHARS_MAX):
            number += 1
            if not line.endswith("\n"):
                if len(line) >= LINE_CHARS_MAX:
                    raise Wrong(f"{path}, line {number}: longer than any frame")
                return  # cut while it was written
            caught = _line(line, f"{path}, line {number}", first=number == 1)
            if caught is not None:
                yield caught


def _line(line: str, where: str, *, first: bool) -> Caught | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise Wrong(f"{where}: not JSON; a capture has one object a line") from None
    if first:
        if not isinstance(found, dict) or found.get(_MAGIC) != VERSION:
            raise Wrong(f'{where}: not a capture of version {VERSION}; it begins {{"{_MAGIC}": {VERSION}, …}}')
        return None
    if not isinstance(found, dict):
        raise Wrong(f"{where}: one object a line, with at, channel and hex")
    at, channel, text = (found.get(key) for key in ("at", "channel", "hex"))
    slot, topic = found.get("slot"), found.get("topic")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= _AT_MAX or not isinstance(channel, str):
        raise Wrong(f"{where}: at (ms since 1970) and channel are needed")
    if not all(item is None or isinstance(item, str) for item in (slot, topic)):
        raise Wrong(f"{where}: slot and topic are texts, where they stand at all")
    try:
        return Caught(at, channel, bytes.fromhex(text if isinstance(text, str) else "no"), slot, topic)
    except ValueError:
        raise Wrong(f"{where}: hex is the frame's bytes in hexadecimal digits") from None
