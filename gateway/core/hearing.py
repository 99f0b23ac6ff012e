"""The gateway's own hearing: its broker session, and what the broker says that it dropped before we could hear it."""

from gateway.core.desk import Desk
from gateway.domain.instants import HOUR_MS, MINUTE_MS, Instant
from gateway.domain.outlook import BrokerDrops

DEAF_AT_MOST_MS = 5 * MINUTE_MS
ONE_GO_MS = HOUR_MS  # a count that rises again within so much is the same trouble, and its messages are counted together


def link(desk: Desk, session: str, at: Instant) -> None:
    """The session is `lost`, `up`, or `drained` of what the broker had kept."""
    if session == "lost":
        if desk.connected:
            desk.lost_at = desk.deaf_from = at
        desk.connected, desk.deaf_until = False, None
    elif session == "up":
        desk.connected, desk.linked_at, desk.deaf_until = True, at, at + DEAF_AT_MOST_MS
    else:
        desk.deaf_until = at


def count_dropped(desk: Desk, total: int, at: Instant) -> bool:
    """Take in the broker's count; returns whether it dropped something since the last one, also while we were down.

    The first count ever is where we came in. A smaller one is that of a broker that was started anew: all of it is news.
    """
    before, desk.dropped_total = desk.dropped_total, total
    if before is None:
        return False
    dropped = total - before if total >= before else total
    if dropped:
        last = desk.drops
        goes_on = last is not None and at - last.at <= ONE_GO_MS
        since, count = (last.since, last.count) if last is not None and goes_on else (at, 0)
        desk.drops = BrokerDrops(since, at, count + dropped)
    return dropped > 0
