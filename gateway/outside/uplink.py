"""Publishes what devices say: the demo's pumps, and later the bridge."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiomqtt

Publish = Callable[[str, bytes], Awaitable[None]]


@contextlib.asynccontextmanager
async def uplink(host: str, port: int, client_id: str) -> AsyncIterator[Publish]:
    """A connection that publishes at QoS 1; each call returns when the broker has the message. Raises `ConnectionError`."""
    try:
        async with aiomqtt.Client(host, port, identifier=client_id) as client:

            async def publish(topic: str, payload: bytes) -> None:
                await client.publish(topic, payload, qos=1)

            yield publish
    except aiomqtt.MqttError as error:
        raise ConnectionError(f"the broker at {host}:{port} does not answer: {error}") from error
