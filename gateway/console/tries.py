"""How often somebody may try to sign in before the door stays shut for a while."""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.domain.instants import MINUTE_MS, Instant

LOCK_MS = 15 * MINUTE_MS
WITHIN_MS = 15 * MINUTE_MS
KEYS_MAX = 10_000  # more: who tried least lately is forgotten; each address can only bring a few


@dataclass(slots=True)
class _Row:
    count: int
    began_at: Instant
    locked_until: Instant = 0


class Tries:
    """Counts tries for each key (a name, an address): after `most` within 15 min the key is locked for 15 min.

    A try is counted before anybody knows whether it was right: a thousand at once are not more than a thousand in a row.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: OrderedDict[str, _Row] = OrderedDict()

    def locked_until(self, key: str, at: Instant) -> Instant | None:
        """Until when; None while it is open."""
        row = self._rows.get(key)
        return row.locked_until if row is not None and row.locked_until > at else None

    def count(self, key: str, at: Instant) -> bool:
        """One more try; whether it is the one that locks. Asked only of a key that is open."""
        row = self._rows.pop(key, None)
        if row is None or row.locked_until or at - row.began_at >= WITHIN_MS:
            row = _Row(0, at)
        row.count += 1
        if row.count >= self._most:
            row.locked_until = at + LOCK_MS
        self._rows[key] = row
        if len(self._rows) > KEYS_MAX:
            self._rows.popitem(last=False)
        return bool(row.locked_until)

    def take_back(self, key: str) -> None:
        """That try was none: nobody looked whether it was right."""
        row = self._rows.get(key)
        if row is not None:
            row.count = max(0, row.count - 1)
            row.locked_until = row.locked_until if row.count >= self._most else 0

    def forget(self, key: str) -> bool:
        """Open it, and count from nothing. Whether it was known at all."""
        return self._rows.pop(key, None) is not None

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._rows)
