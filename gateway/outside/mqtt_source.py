"""Messages from an MQTT broker, held until they are durable; reconnects by itself and says why it cannot."""

import asyncio
import logging
from collections.abc import Sequence

from gateway.outside.backoff import backoff_s
from gateway.outside.inbox import Inbox
from gateway.outside.mqtt_findings import finding
from gateway.outside.mqtt_link import Link, LinkLost
from gateway.outside.mqtt_settings import MqttSettings
from gateway.runtime.ports import Dropped, Incoming, Session

__all__ = ["MqttSettings", "MqttSource"]

TELL_PREFIX = "dwack/"
COUNT_DIGITS_MAX = 19  # more is no count
IN_HAND_MAX = 20_000  # full: stop reading, and stay away once the session is lost; the broker keeps the rest
QUIET_CHECK_S = 0.25
QUIET_CHECKS = 4  # 4 x 0.25 s without a message: the backlog is read
STEADY_S = 30.0  # a session that lived this long was a good one
SHORT_SESSIONS_SUSPECT = 3

_log = logging.getLogger(__name__)


class MqttSource:
    """The `Source` of `gateway.runtime.ports` on MQTT 3.1.1 or 5, QoS 1, with a persistent session.

    Nothing is acknowledged before `acknowledge`: a consumer that stops makes the broker stop at its in-flight limit. What was not
    acknowledged when a session ended comes again, also what is still in hand and handed out all the same: a message may come
    twice and never not at all. Before the first `Session.UP` there is no session; that is not announced.
    """

    def __init__(self, settings: MqttSettings, *, tells_below: str = TELL_PREFIX) -> None:
        """`tells_below`: the gateway's own is below `dwack/`, where no pump could take it for a command."""
        self._settings = settings
        self._tells_below = tells_below
        self._inbox: Inbox[Incoming | Session | Dropped] = Inbox(IN_HAND_MAX)
        self._link: Link | None = None
        self._up_at_s = 0.0
        self._connections = 0
        self._failures = 0
        self._short_sessions = 0
        self._finding: str | None = None
        self._dropped_at_broker: int | None = None
        self._dropped_told: int | None = None

    @property
    def finding(self) -> str | None:
        """What keeps us from hearing, in words; None while a session is up, unless the ones before it all ended at once."""
        if self._link is not None and (self._short_sessions < SHORT_SESSIONS_SUSPECT or self._is_steady()):
            return None
        return self._finding

    @property
    def refused_at_broker(self) -> int:
        """How much of what we published the broker refused in this session; a broker tells it in version 5 only."""
        return self._link.refused_at_broker if self._link is not None else 0

    async def run(self) -> None:
        """Connect, subscribe, hold, reconnect; until cancelled. What the world does wrong ends in `finding`, never here."""
        while True:
            await self._inbox.has_room.wait()
            self._connections += 1
            link = Link(self._settings, self._inbox, self._connections, self._on_dropped)
            try:
                await link.open()
                _end_if_told_to()
                await self._hold(link)
            except LinkLost as lost:
                self._lost(lost)
            finally:
                self._link = None
                link.drop()
            await asyncio.sleep(self._wait_s())

    async def take(self) -> list[Incoming | Session | Dropped]:
        """Wait for at least one item; return all in hand in arrival order."""
        taken = await self._inbox.take()
        if self._link is not None:
            self._link.read_on()
        return taken

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Acknowledge in this order, in one write; what came in an earlier session is passed over."""
        if self._link is not None:
            self._link.acknowledge(messages)

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1 below `tells_below` (else `ValueError`); dropped without a session or with 1,000 on their way."""
        if not topic.startswith(self._tells_below):
            raise ValueError(f"this connection publishes only below {self._tells_below}, not to {topic}")
        if self._link is not None:
            self._link.tell(topic, payload, retain=retain)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 below `tells_below` (else `ValueError`); returns when the broker has it. Raises `ConnectionError`."""
        if not topic.startswith(self._tells_below):
            raise ValueError(f"this connection publishes only below {self._tells_below}, not to {topic}")
        if self._link is None:
            raise ConnectionError(self._finding or "there is no broker session")
        try:
            await self._link.hand_to_broker(topic, payload)
        except LinkLost as lost:
            raise ConnectionError(lost.failure.text) from lost

    async def _hold(self, link: Link) -> None:
        self._link = link
        self._up_at_s = asyncio.get_running_loop().time()
        self._inbox.put(Session.UP)
        self._tell_dropped()
        link.hand_over()
        manner = "resumed" if link.resumed else "new: what was published while we were away is not in it"
        _log.info("broker session up (%s:%d), %s", self._settings.host, self._settings.port, manner)
        watching = asyncio.create_task(self._watch_backlog(link))
        try:
            await link.ended()
        finally:
            watching.cancel()

    async def _watch_backlog(self, link: Link) -> None:
        quiet, seen = 0, -1
        while quiet < QUIET_CHECKS:
            await asyncio.sleep(QUIET_CHECK_S)
            # Messages that nobody acknowledges hold up the broker: that quiet is not the end of the backlog.
            quiet = quiet + 1 if link.heard == seen and link.unacknowledged == 0 else 0
            seen = link.heard
        self._inbox.put(Session.DRAINED)

    def _lost(self, lost: LinkLost) -> None:
        self._failures += 1
        found = finding(self._settings.host, self._settings.port, lost.failure)
        was_up = self._link is not None
        if was_up:
            if self._is_steady():
                self._failures, self._short_sessions = 1, 0
            self._short_sessions += 1
            if self._short_sessions >= SHORT_SESSIONS_SUSPECT:
                found += f"; again right after it began: does another client use the id {self._settings.client_id!r}?"
            self._inbox.put(Session.LOST)
        if was_up or found != self._finding:
            _log.warning("no broker session: %s", found)
        self._finding = found

    def _wait_s(self) -> float:
        own = self._settings
        return backoff_s(self._failures, least_s=own.backoff_min_s, most_s=own.backoff_max_s, who=own.client_id)

    def _is_steady(self) -> bool:
        return asyncio.get_running_loop().time() - self._up_at_s >= STEADY_S

    def _on_dropped(self, payload: bytes) -> None:
        if not payload.isdigit() or len(payload) > COUNT_DIGITS_MAX:
            return
        self._dropped_at_broker = int(payload)
        if self._link is not None:  # else it came before the session was announced, and is told behind that
            self._tell_dropped()

    def _tell_dropped(self) -> None:
        if self._dropped_at_broker is not None and self._dropped_at_broker != self._dropped_told:
            self._dropped_told = self._dropped_at_broker
            self._inbox.put(Dropped(self._dropped_told))


def _end_if_told_to() -> None:
    """End here when we were cancelled: a `wait_for` that succeeds at the same instant forgets it (Python 3.11, in aiomqtt)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
