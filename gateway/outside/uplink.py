"""Publishes what devices say: the demo's pumps, the synthetic pump, and later the bridge."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import aiomqtt

Publish = Callable[[str, bytes], Awaitable[None]]


@contextlib.asynccontextmanager
async def uplink(
    host: str,
    port: int,
    client_id: str,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Publish]:
    """A connection that publishes at QoS 1; each call returns when the broker has the message. Raises `ConnectionError`."""
    who = {"identifier": client_id, "username": username, "password": password}
    try:
        async with aiomqtt.Client(host, port, tls_context=tls, **who) as client:  # type: ignore[arg-type]  # texts or None

            async def publish(topic: str, payload: bytes) -> None:
                await client.publish(topic, payload, qos=1)

            yield publish
    except aiomqtt.MqttError as error:
        raise ConnectionError(f"the broker at {host}:{port} does not answer: {error}") from error
