"""The board as JSON: written once for all who ask at the same moment, in another thread; not sent again while it is the same.

The entity tag is a weak one (RFC 9110): it changes with everything that happens, and not with what merely grows with time.
Whoever is told 304 has the right board, and counts on by `since` and the forecasts' own instants.
"""

import asyncio
import hashlib
from dataclasses import replace

from gateway.console.shapes import BoardShape
from gateway.core.board import Board, CourseLine
from gateway.runtime.service import Service


class BoardAnswer:
    """Writes the board of `service`; whoever asks while it is being written, and nothing has happened, gets the same writing."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._version = 0
        self._made: asyncio.Task[tuple[bytes, str]] | None = None

    async def now(self) -> tuple[bytes, str]:
        """(JSON, entity tag) of the board, with everything that has happened."""
        version = await self._service.changed(0)
        if self._made is None or self._made.done() or version != self._version:
            self._version = version
            self._made = asyncio.create_task(asyncio.to_thread(_written, self._service.board()))
        return await asyncio.shield(self._made)


def still(line: CourseLine) -> CourseLine:
    """A course without what merely follows from the time: two of them are equal until something happens."""
    supplies = replace(line.supplies, bag_early_at=None, bag_central_at=None, bag_late_at=None, battery_left_ms=None)
    return replace(line, current_ms=0, worst_ms=0, limit_at=None, infusion_days=0.0, supplies=supplies)


def matches(if_none_match: str, tag: str) -> bool:
    """Whether the header `If-None-Match` has this tag; weak comparison."""
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def _written(board: Board) -> tuple[bytes, str]:
    body = BoardShape.model_validate(board).model_dump_json().encode()
    same = replace(board, at=0, courses=tuple(still(line) for line in board.courses))
    return body, f'W/"{hashlib.sha256(repr(same).encode()).hexdigest()[:32]}"'
