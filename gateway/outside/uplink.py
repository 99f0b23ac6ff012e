"""Publishes what devices say: the demo's pumps, the synthetic pump, a replay."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiomqtt
from paho.mqtt.client import Client, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.outside.mqtt_findings import finding
from gateway.outside.mqtt_link import failure_of, hung_up

Publish = Callable[[str, bytes], Awaitable[None]]


class _Outspoken(aiomqtt.Client):
    """Remembers what the broker would not take, where aiomqtt takes any answer for a yes, and that it hung up on us."""

    refused = False
    tls = False

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties) -> None:
        self.refused |= reason_code.is_failure
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason_code: ReasonCode, properties: Properties | None = None
    ) -> None:
        if self._connected.done():
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        else:  # aiomqtt would wait for its timeout
            self._connected.set_exception(hung_up(tls=self.tls))


@contextlib.asynccontextmanager
async def uplink(
    host: str,
    port: int,
    client_id: str,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    five: bool = False,
) -> AsyncIterator[Publish]:
    """A connection that publishes at QoS 1; each call returns when the broker has the message. Raises `ConnectionError`.

    `five`: MQTT 5, in which a broker says what its access rules forbid; in 3.1.1 it takes that, and drops it.
    """
    protocol = aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311
    who = {"identifier": client_id, "username": username, "password": password}
    opening = _Outspoken(host, port, tls_context=tls, protocol=protocol, **who)  # type: ignore[arg-type]  # texts or None
    opening.tls = tls is not None
    opening._client.disable_logger()  # noqa: SLF001 - what matters is raised
    try:
        async with opening as client:

            async def publish(topic: str, payload: bytes) -> None:
                sending = asyncio.create_task(client.publish(topic, payload, qos=1))  # where a cancellation can be lost
                try:
                    await asyncio.wait((sending,))
                    sending.result()
                finally:
                    sending.cancel()
                if client.refused:
                    raise ConnectionError(f"the broker at {host}:{port} lets us not write to {topic}; see its access rules")

            yield publish
    except aiomqtt.MqttError as error:
        raise ConnectionError(finding(host, port, failure_of(error))) from error
