"""One MQTT connection: the only place that knows aiomqtt and paho, and what of them had to be replaced (docs/adr/0002)."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import aiomqtt
from aiomqtt.exceptions import MqttCodeError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, PUBACK, Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.outside.buffered_socket import BufferedSocket
from gateway.outside.inbox import Inbox
from gateway.outside.mqtt_findings import LOST, Failure
from gateway.outside.mqtt_settings import MqttSettings, tls_of
from gateway.runtime.ports import Dropped, Incoming, Session

IN_FLIGHT_MAX = 1_000  # MQTT 5 receive maximum; with 3.1.1 the broker's own limit counts
TELL_MAX = 1_000  # full: what is told is dropped; a bridge that hears nothing raises its own last resort
SESSION_EXPIRY_S = 14 * 86_400
ANSWER_S = 10.0  # for CONNACK and SUBACK

# The first half of the packet that acknowledges a message of QoS 1 (PUBACK) or 2 (PUBCOMP); its message id is the second half.
_ACK_WORDS = {1: 0x4002_0000, 2: 0x7002_0000}
_REFUSED_FROM = 0x80  # in a SUBACK


class LinkLost(Exception):
    """The connection failed or ended; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


class Link(aiomqtt.Client):
    """One connection from CONNECT to its end; never used again.

    aiomqtt's callbacks are replaced where they would lose or slow (its version is pinned for that): its queue acknowledges before
    we could store, and its reader asks the kernel for single bytes. They are in place before CONNECT, because the broker delivers
    again right behind its CONNACK. Until `hand_over`, messages wait here, so that none comes before its `Session.UP`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        inbox: Inbox[Incoming | Session | Dropped],
        number: int,
        on_dropped: Callable[[bytes], None],
    ) -> None:
        five = settings.protocol == "5"
        super().__init__(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            identifier=settings.client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else not settings.persistent,
            # aiomqtt's default wipes a version 5 session at every new process; paho refuses False for 3.1.1.
            clean_start=not settings.persistent if five else MQTT_CLEAN_START_FIRST_ONLY,
            properties=_connect_properties(settings) if five else None,
            will=aiomqtt.Will(*settings.last_will, qos=1, retain=True) if settings.last_will else None,
            timeout=ANSWER_S,
            keepalive=settings.keepalive_s,
            max_queued_outgoing_messages=TELL_MAX,
        )
        self.pending_calls_threshold = TELL_MAX  # what is under way the caller bounds; aiomqtt warns above ten
        self._client.manual_ack_set(on=True)
        self._client.disable_logger()  # two debug calls a message; what matters the source logs itself
        self._settings = settings
        self._inbox = inbox
        self._early: list[Incoming] = []
        self._keep: Callable[[Incoming], None] = self._early.append
        self._number = number
        self._on_dropped = on_dropped
        self._wire: BufferedSocket | None = None
        self._paused = False
        self._gone = False
        self.resumed = False
        self.heard = 0
        self.refused_at_broker = 0
        self.unacknowledged = 0

    async def open(self) -> None:
        """Connect and subscribe at QoS 1. Raises `LinkLost`."""
        own = self._settings
        try:
            if (tls := tls_of(own)) is not None:
                self._client.tls_set_context(tls)
            await self.__aenter__()
            await self._subscribe_all()
        except (aiomqtt.MqttError, OSError, UnicodeError) as exc:  # UnicodeError: a host name that cannot be one
            raise LinkLost(failure_of(exc)) from exc

    async def ended(self) -> NoReturn:
        """Wait for the end of the connection and raise it as `LinkLost`."""
        await asyncio.wait((self._disconnected,))
        exc = self._disconnected.exception() or aiomqtt.MqttError("the connection was closed")
        if isinstance(exc, aiomqtt.MqttError | OSError):
            raise LinkLost(failure_of(exc)) from exc
        raise exc  # a mistake of ours in a callback: not the world's

    def hand_over(self) -> None:
        """From now on into the inbox, first what came before the subscription stood."""
        self._keep = self._inbox.put
        for message in self._early:
            self._inbox.put(message)
        self._early.clear()

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Acknowledge in this order; what came by another connection is passed over."""
        tickets = [m.ticket for m in messages if isinstance(m.ticket, int) and m.ticket >> 32 == self._number]
        if not tickets:
            return
        self.unacknowledged -= len(tickets)
        packets = struct.pack(f">{len(tickets)}I", *(ticket & 0xFFFF_FFFF for ticket in tickets))
        # paho's own ack() builds, queues and writes packets one by one; its queue writes any bytes that are no PUBLISH at once.
        self._client._packet_queue(PUBACK, packets, 0, 1)  # noqa: SLF001 - see above

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1; paho keeps at most `TELL_MAX` and refuses the rest, which is as good as lost on the way."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    async def hand_to_broker(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and return when the broker has it, or has refused it by policy. Raises `LinkLost`."""
        sending = asyncio.create_task(self.publish(topic, payload, qos=1))
        try:
            await asyncio.wait((sending, self._disconnected), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                await self.ended()
            sending.result()
        except (aiomqtt.MqttError, OSError) as exc:
            raise LinkLost(failure_of(exc)) from exc
        finally:
            sending.cancel()

    def read_on(self) -> None:
        """Listen again after a full inbox."""
        if self._paused and self._wire is not None and self._wire.fileno() >= 0:
            self._paused = False
            self._loop.add_reader(self._wire.fileno(), self._readable)

    def drop(self) -> None:
        """Say goodbye if there is somebody to hear it, and close. Never waits, never raises."""
        self._gone = True
        with contextlib.suppress(OSError):
            self._client.disconnect()
            self._client.loop_write()
        # A connection that failed half-way is closed by neither library and would keep its reader for ever.
        self._client._reset_sockets()  # noqa: SLF001 - see above

    async def _subscribe_all(self) -> None:
        wanted = [(topic, 1) for topic in self._settings.topics]
        if self._settings.dropped_topic:
            wanted.append((self._settings.dropped_topic, 0))
        subscribing = asyncio.create_task(self.subscribe(wanted))
        try:
            await asyncio.wait((subscribing, self._disconnected), return_when=asyncio.FIRST_COMPLETED)
            if not subscribing.done():
                await self.ended()
        finally:
            subscribing.cancel()
        granted = [code if isinstance(code, int) else code.value for code in subscribing.result()]
        refused = [topic for topic, code in zip(self._settings.topics, granted, strict=False) if code >= _REFUSED_FROM]
        if refused:  # only ours: a broker may keep its $SYS to itself
            raise aiomqtt.MqttError(f"the broker refused the subscription to {', '.join(refused)}")

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, reason_code: ReasonCode, properties: Properties | None = None
    ) -> None:
        self.resumed = flags.session_present
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason_code: ReasonCode, properties: Properties | None = None
    ) -> None:
        if self._gone:
            return
        if self._connected.done():
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        else:  # aiomqtt would wait for its timeout
            self._connected.set_exception(hung_up(tls=self._settings.speaks_tls))

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties) -> None:
        if reason_code.is_failure:  # version 5 only; aiomqtt takes any answer for a yes
            self.refused_at_broker += 1
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:  # noqa: ARG002 - paho's signature
        try:
            topic = message.topic
        except UnicodeDecodeError:  # kept under a name that no decoder accepts
            topic = "not-utf8"
        if topic == self._settings.dropped_topic:
            self._on_dropped(bytes(message.payload))
            return
        self.heard += 1
        ticket = None
        if message.qos:
            self.unacknowledged += 1
            ticket = self._number << 32 | _ACK_WORDS[message.qos] | message.mid
        self._keep(Incoming(topic, bytes(message.payload), ticket, message.retain))

    def _on_socket_open(self, client: Client, userdata: Any, sock: Any) -> None:  # noqa: ARG002 - paho's signature
        # Runs in the thread that connects. paho takes any object that looks like a socket, as it does for WebSockets.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = client._sock = BufferedSocket(sock)  # noqa: SLF001 - see above
        self._loop.call_soon_threadsafe(self._attach, self._wire)

    def _attach(self, wire: BufferedSocket) -> None:
        if self._gone:
            self._client._reset_sockets()  # noqa: SLF001 - dropped while its thread was still connecting
            return
        self._loop.add_reader(wire.fileno(), self._readable)
        self._misc_task = self._loop.create_task(self._misc_loop())

    def _on_socket_register_write(self, client: Client, userdata: Any, sock: Any) -> None:  # noqa: ARG002 - paho's signature
        # The thread that connects comes here too. aiomqtt would register a number that may be another socket's by then.
        self._loop.call_soon_threadsafe(self._start_writing, sock)

    def _start_writing(self, wire: BufferedSocket) -> None:
        if wire.fileno() >= 0 and self._client.want_write():
            self._loop.add_writer(wire.fileno(), self._guarded, self._client.loop_write)

    def _readable(self) -> None:
        wire = self._wire
        if wire is None:
            return
        wire.fill()
        while wire.unread and self._guarded(self._client.loop_read):
            pass
        if not self._inbox.has_room.is_set():
            self._paused = True
            self._loop.remove_reader(wire.fileno())

    def _guarded(self, step: Callable[[], MQTTErrorCode]) -> bool:
        try:
            return step() == MQTTErrorCode.MQTT_ERR_SUCCESS
        except Exception as exc:  # noqa: BLE001 - as aiomqtt does: `ended` raises it
            if not self._disconnected.done():
                self._disconnected.set_exception(exc)
            return False


def hung_up(*, tls: bool) -> aiomqtt.MqttError:
    """What ended a connection to which the broker never answered."""
    hint = "does it ask for a certificate of ours?" if tls else "is it a TLS port?"
    return aiomqtt.MqttError(f"the broker hung up before it answered ({hint})")


def _connect_properties(settings: MqttSettings) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_EXPIRY_S if settings.persistent else 0
    properties.ReceiveMaximum = IN_FLIGHT_MAX
    return properties


def failure_of(exc: Exception) -> Failure:
    """What is known of why aiomqtt could not connect, or no longer is."""
    code = None
    if isinstance(exc, MqttCodeError):
        code = exc.rc.value if isinstance(exc.rc, ReasonCode) else LOST if exc.rc == MQTTErrorCode.MQTT_ERR_NO_CONN else None
    # aiomqtt raises `from None`, which hides what lies below but keeps it.
    below = (exc.__cause__ or exc.__context__) if isinstance(exc, aiomqtt.MqttError) else None
    return Failure(code=code, cause=below or exc, text=str(exc))
