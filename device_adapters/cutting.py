"""Where frames begin and end in a stream of bytes, for adapters whose devices speak on a line unasked.

An adapter may have a `cut`. Whoever reads a line (bridge, bench) calls it with what it has, and again with the rest and what has
come since: however the bytes arrive, the same parts must come out.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, runtime_checkable

GARBAGE_BYTES_MAX: Final = 1_024  # more garbage in a row is handed out in parts of this size
REST_BYTES_MAX: Final = 64 * 1024  # a cut that holds back more has lost its way: whoever calls it gives all of that up


class Part(NamedTuple):
    """One whole frame, or bytes that were none."""

    body: bytes
    is_frame: bool = True


@runtime_checkable
class Cuts(Protocol):
    """An adapter that knows where its frames end."""

    def cut(self, data: bytes) -> tuple[list[Part], bytes]:
        """What is whole in `data`, in its order, and the rest of it, which waits for more."""
        ...


class Stream:
    """One line from its opening to its end, cut by an adapter's `cut`."""

    def __init__(self, adapter: Cuts) -> None:
        self._cut = adapter.cut
        self._rest = b""

    def feed(self, data: bytes) -> list[Part]:
        """Bytes came; returns what is whole with them. Never raises."""
        held, self._rest = self._rest + data, b""
        try:
            parts, self._rest = self._cut(held)
        except Exception:  # noqa: BLE001  as for `decode` in the registry: a bug, but what comes next must not wait for its mending
            return [Part(held, is_frame=False)]
        if len(self._rest) > REST_BYTES_MAX:
            parts += self.finish()
        return parts

    def finish(self) -> list[Part]:
        """The line is closed: what is left over."""
        left, self._rest = self._rest, b""
        return [Part(left, is_frame=False)] if left else []


def fixed_frames(data: bytes, start: int, length: int, fits: Callable[[bytes], bool]) -> tuple[list[Part], bytes]:
    """`cut` for frames of `length` bytes that begin with the byte `start` and for which `fits` holds (their check, above all)."""
    parts: list[Part] = []
    done = at = 0  # up to `done` everything is in `parts`; from there to `at` no frame begins
    while True:
        found = data.find(start, at)
        at = len(data) if found < 0 else found
        while at - done >= GARBAGE_BYTES_MAX:
            parts.append(Part(data[done : done + GARBAGE_BYTES_MAX], is_frame=False))
            done += GARBAGE_BYTES_MAX
        if len(data) - at < length:
            return parts, data[done:]
        frame = data[at : at + length]
        if not fits(frame):
            at += 1
            continue
        if at > done:
            parts.append(Part(data[done:at], is_frame=False))
        parts.append(Part(frame))
        done = at = at + length
