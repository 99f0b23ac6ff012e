"""The composition root's part for the broker: how the gateway listens to it and beside it, how its synthetic pump speaks."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.config import settings as config
from gateway.config.settings import LoadedWard
from gateway.runtime.heartbeat import LAST_WILL, topic_of
from gateway.runtime.listener import Listener
from gateway.runtime.ports import Clock, Source
from gateway.runtime.prober import Ping, Publish

if TYPE_CHECKING:
    from gateway.outside.mqtt_source import MqttSettings


def make_source(loaded: LoadedWard) -> Source:
    """The broker that the ward file names."""
    from gateway.outside.mqtt_source import MqttSource  # noqa: PLC0415

    return MqttSource(link_settings(loaded.mqtt, last_will=(topic_of(loaded.ward.site), LAST_WILL)))


@dataclass(frozen=True, slots=True)
class HeardBeside:
    """What is listened to beside the broker, and the findings of that, as `Parts.noted` wants them."""

    listeners: tuple[Listener, ...]
    noted: dict[str, str]


def hear_beside(loaded: LoadedWard, clock: Clock) -> HeardBeside:
    """The HL7 port, where the ward file has one."""
    from gateway.outside.mllp_source import MllpSource  # noqa: PLC0415

    noted: dict[str, str] = {}
    return HeardBeside(() if loaded.mllp is None else (MllpSource(loaded.mllp, loaded.ward.site, clock, noted),), noted)


def link_settings(mqtt: config.MqttSettings, **more: Any) -> "MqttSettings":
    """How to connect to a broker that a file names; `more` goes over that."""
    from gateway.outside.mqtt_source import MqttSettings  # noqa: PLC0415

    tls = mqtt.tls
    settings = MqttSettings(
        host=mqtt.host,
        port=mqtt.port,
        client_id=mqtt.client_id,
        username=mqtt.username,
        password=mqtt.password,
        tls=tls is not None,
        tls_ca=_text(tls.ca) if tls else None,
        tls_cert=_text(tls.cert) if tls else None,
        tls_key=_text(tls.key) if tls else None,
        protocol=mqtt.protocol,
        keepalive_s=max(5, mqtt.keepalive_ms // 1000),
    )
    return replace(settings, **more)


def as_a_pump(mqtt: config.MqttSettings) -> Publish:
    """Publishes one message over a connection of its own, as a pump does. Raises `ConnectionError`."""
    from gateway.outside.mqtt_settings import tls_of  # noqa: PLC0415
    from gateway.outside.uplink import uplink  # noqa: PLC0415

    async def publish(topic: str, payload: bytes) -> None:
        own = link_settings(mqtt)
        try:
            tls = tls_of(own)
        except OSError as error:
            raise ConnectionError(str(error)) from error
        async with uplink(
            own.host, own.port, f"{own.client_id}-synthetic", username=own.username, password=own.password, tls=tls
        ) as send:
            await send(topic, payload)

    return publish


def outside_switch(loaded: LoadedWard) -> Ping | None:
    """Tells the dead man's switch outside that all is well; None where the ward names none."""
    from gateway.outside.web_asks import ping  # noqa: PLC0415

    return partial(ping, loaded.ping) if loaded.ping else None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
