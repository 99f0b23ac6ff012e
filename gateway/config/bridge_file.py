"""The bridge's own file, `bridge.yaml`: which lines and pins it reads, for which pumps, and where it sends. Lengths in ms."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from device_adapters.cutting import Cuts
from device_adapters.registry import ADAPTERS
from gateway.config.durations import parse_duration, parse_size
from gateway.config.parse import apprise_url, parse_listen, parse_place
from gateway.config.problems import unknown
from gateway.config.ward_file import MqttFile, Strict, TlsFile
from gateway.config.ward_types import PositiveDuration, Site, Text
from gateway.domain.instants import MINUTE_MS, SECOND_MS

LINE_ADAPTERS = ("bbraun-bcc", "generic-json", "relay-and-scale")  # the others that a line may have say where a frame ends
POLL_MAX_MS = 10 * SECOND_MS
GPIO_MAX = 27  # on the header of every Raspberry Pi with 40 pins


def _listen(value: object) -> object:
    """A bare port listens on this machine only."""
    return f"127.0.0.1:{value}" if isinstance(value, int) and not isinstance(value, bool) else value


def _pin(value: object) -> object:
    """A bare number is a pin that is on when it is connected to ground."""
    if isinstance(value, str):
        raise ValueError(f"write the pin's BCM number without quotes, like 17, or {{gpio: 17, active: high}}; not {value!r}")  # noqa: TRY004  pydantic tells ValueErrors
    return {"gpio": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _slot(slot: str) -> str:
    if re.fullmatch("[1-3][1-9A-O]", slot) is None:
        raise ValueError(f"no slot: {slot!r}; pillar 1-3 and pump 1-9 or A-O, like 11 (in quotes)")
    return slot


def _framing(framing: str) -> str:
    if re.fullmatch("[5-8][NEO][12]", framing) is None:
        raise ValueError(f"not a framing: {framing!r}; data bits, parity (N, E, O) and stop bits, like 8N1 or 7E1")
    return framing


def _poll(length_ms: int) -> int:
    if not SECOND_MS <= length_ms <= POLL_MAX_MS:
        raise ValueError("from 1s, which the device needs, to 10s: an alarm may show for a few seconds only")
    return length_ms


def _on_a_line(adapter: str) -> str:
    """An adapter whose frames' ends are known on a line."""
    if adapter == "ihe-pcd":
        raise ValueError("senders of HL7 connect to the gateway's own port, not to a bridge; docs/hl7.md tells how")
    known = [*LINE_ADAPTERS, *(name for name, one in ADAPTERS.items() if isinstance(one, Cuts))]
    if adapter not in known:
        raise ValueError(unknown("adapter", adapter, known))
    return adapter


Gpio = Annotated[int, Field(ge=0, le=GPIO_MAX)]
Slot = Annotated[str, AfterValidator(_slot)]


class PinFile(Strict):
    """One pin."""

    gpio: Gpio
    active: Literal["low", "high"] = "low"


PinKey = Annotated[PinFile, BeforeValidator(_pin)]


class SerialFile(Strict):
    """A serial port."""

    port: Text
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 9_600
    framing: Annotated[str, AfterValidator(_framing)] = "8N1"


class LineFile(Strict):
    """One line, and the pumps on it."""

    adapter: Annotated[str, AfterValidator(_on_a_line)]
    serial: SerialFile | None = None
    tcp: Annotated[str, AfterValidator(parse_place)] | None = None
    listen: Annotated[str, BeforeValidator(_listen), AfterValidator(parse_listen)] | None = None
    pump: Site | None = None
    slots: Annotated[dict[Slot, Site], Field(min_length=1)] | None = None
    poll: Annotated[int, BeforeValidator(parse_duration), AfterValidator(_poll)] = SECOND_MS
    report: PositiveDuration = 30 * SECOND_MS
    stuffing: bool = True


class LightsFile(Strict):
    """The pump's status light by its colours, each on a pin of its own."""

    red: PinKey | None = None
    amber: PinKey | None = None
    blue: PinKey | None = None
    green: PinKey | None = None


class ScaleFile(Strict):
    """An HX711 with a load cell."""

    data: Gpio
    clock: Gpio
    tare: int
    counts_per_g: float


class BesideFile(Strict):
    """What is seen beside a pump."""

    pump: Site
    relay: PinKey | None = None
    lights: LightsFile | None = None
    mains: PinKey | None = None
    scale: ScaleFile | None = None


class SpoolFile(Strict):
    """Where frames wait for the broker."""

    path: Text = "data/bridge.db"
    max_bytes: Annotated[int, BeforeValidator(parse_size), Field(ge=1 << 20)] = 256 << 20
    max_frames: Annotated[int, Field(ge=1_000)] = 1_000_000
    commit: PositiveDuration = 10 * SECOND_MS


class LastResortFile(Strict):
    """What the bridge does by itself when nobody answers for an alarm."""

    after: PositiveDuration = MINUTE_MS
    buzzer: PinKey | None = None
    light: PinKey | None = None
    button: PinKey | None = None
    url: Annotated[str, AfterValidator(apprise_url)] | None = None
    url_file: Text | None = None
    address: Text = "home"


class BridgeYaml(Strict):
    """The whole file."""

    site: Site
    name: Site
    mqtt: MqttFile = MqttFile()
    clock: Literal["ask", "trust"] = "ask"
    spool: SpoolFile = SpoolFile()
    lines: list[LineFile] = Field(default=[])
    beside: list[BesideFile] = Field(default=[])
    last_resort: LastResortFile | None = None


MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): BridgeYaml,
    ("mqtt",): MqttFile,
    ("mqtt", "tls"): TlsFile,
    ("spool",): SpoolFile,
    ("lines", "#"): LineFile,
    ("lines", "#", "serial"): SerialFile,
    ("beside", "#"): BesideFile,
    ("beside", "#", "lights"): LightsFile,
    ("beside", "#", "scale"): ScaleFile,
    ("last_resort",): LastResortFile,
    **{("beside", "#", key): PinFile for key in ("relay", "mains")},
    **{("beside", "#", "lights", key): PinFile for key in ("red", "amber", "blue", "green")},
    **{("last_resort", key): PinFile for key in ("buzzer", "light", "button")},
}
"""Which model judges which mapping of the file; `#` is a place in a list."""
