"""A capture played onto a broker of this machine, as the bridge sends it, or as it was published."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from device_adapters.envelope import Sent, enveloped, opened
from device_adapters.registry import parse_topic
from device_adapters.times import sender_time
from gateway.domain.instants import SECOND_MS
from gateway.domain.readings import Refused
from gateway.field.adapter_frames import BYTES, RAW, Caught
from gateway.field.at_broker import Credentials, address
from gateway.field.simulate import refuse_other_machines
from gateway.field.speaking import No, Wrong
from gateway.outside.uplink import uplink
from gateway.outside.wall_clock import WallClock

CLIENT_ID: Final = "dripwatch-replay"
TELL_THEIR_OWN_TIME: Final = ("raw/ihe-pcd",)

_NAME: Final = re.compile("[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A replay as it was asked for: where to, under which names, how fast, and whether its times are shifted to now."""

    broker: str
    site: str
    device: str | None
    slot: str | None
    speed: float
    shifted: bool


@dataclass(frozen=True, slots=True)
class Played:
    """What was done, in words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """One frame to publish: `after_ms` from the first one, under `device`."""

    caught: Caught
    device: str
    after_ms: int


@dataclass(frozen=True, slots=True)
class _Shift:
    """How the times of this replay are made: `by_ms` later than recorded, under a numbering of its own."""

    by_ms: int
    boot: str


def replayed(frames: Sequence[Caught], asked: Asked, who: Credentials) -> Played:
    """Play them; returns when the broker has the last. Raises `Wrong` for what cannot be played, `No` without a broker."""
    host, _ = address(asked.broker)
    refuse_other_machines(host, "--mqtt", "a capture is played on")
    if _NAME.fullmatch(asked.site) is None or (asked.device is not None and _NAME.fullmatch(asked.device) is None):
        raise Wrong("--site and --device are names as in topics: small letters, digits and hyphens, at most 63")
    parts = _parts(frames, asked.device, asked.slot)
    clock = WallClock()
    lasts_ms = round(parts[-1].after_ms / asked.speed)
    # The last frame happens when it is sent, and the others as long before it as they did: at no speed is one in the future.
    by_ms = clock.now() + lasts_ms - parts[-1].caught.at if asked.shifted else 0
    shift = _Shift(by_ms, f"replay-{clock.now()}")
    try:
        asyncio.run(_play(parts, asked, who, shift))
    except ConnectionError as error:
        raise No(str(error)) from None
    words = [f"{len(parts)} frames in {lasts_ms / SECOND_MS:.1f} s, as {', '.join(sorted({part.device for part in parts}))}"]
    if asked.shifted and any(part.caught.channel in TELL_THEIR_OWN_TIME for part in parts):
        words.append("frames of ihe-pcd tell their time themselves: those times were kept")
    return Played(tuple(words))


async def _play(parts: Sequence[_Part], asked: Asked, who: Credentials, shift: _Shift) -> None:
    clock = WallClock()
    numbers: dict[str, int] = {}
    async with uplink(*address(asked.broker), CLIENT_ID, **who.of_uplink()) as publish:
        start_at = clock.now()
        for part in parts:
            await clock.sleep_until(start_at + round(part.after_ms / asked.speed))
            numbers[part.device] = numbers.get(part.device, 0) + 1
            payload = _payload(part.caught, numbers[part.device], shift)
            await publish(f"dw/v1/{asked.site}/{part.device}/{part.caught.channel}", payload)


def _parts(frames: Sequence[Caught], device: str | None, slot: str | None) -> list[_Part]:
    taken = [caught for caught in frames if slot is None or caught.slot in (None, slot)]
    if not taken:
        raise Wrong("nothing to play" + (f" of slot {slot}" if slot else ": the capture has no frame"))
    if any(caught.channel in (BYTES, "") for caught in taken):
        raise Wrong("these bytes were recorded without an adapter, or their topic names no channel: give --adapter")
    named = {_named(caught) for caught in taken}
    slots = {caught.slot for caught in taken}
    if device is not None and len(named) > 1:
        raise Wrong(f"the capture is of several devices ({', '.join(sorted(filter(None, named)))}): leave out --device")
    if device is None and None in named:
        raise Wrong("under which device? The capture names none; give --device")
    if len(slots) > 1:
        raise Wrong(f"the capture is of several pumps ({', '.join(sorted(filter(None, slots)))}): give --slot")
    first = min(caught.at for caught in taken)
    ordered = sorted(taken, key=lambda caught: caught.at)
    return [
        _Part(replace(caught, slot=slot or caught.slot), device or _named(caught) or "", caught.at - first) for caught in ordered
    ]


def _named(caught: Caught) -> str | None:
    place = parse_topic(caught.topic) if caught.topic is not None else None
    return None if place is None or isinstance(place, Refused) else place.device


def _payload(caught: Caught, seq: int, shift: _Shift) -> bytes:
    if not caught.channel.startswith(RAW):
        return _json_later(caught.body, seq, shift)
    found = opened(caught.body)
    if isinstance(found, Refused):
        return caught.body  # a bad header is worth replaying as it is
    sent, body = found
    if sent is None:
        sent = Sent(caught.at, slot=caught.slot)
    if caught.channel == f"{RAW}generic-json":
        body = _json_later(body, seq, shift)
    return enveloped(replace(sent, observed_at=sent.observed_at + shift.by_ms, boot=shift.boot, seq=seq), body)


def _json_later(body: bytes, seq: int, shift: _Shift) -> bytes:
    """Our own JSON with its times shifted and a number of this replay; what cannot be read goes as it was."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    items = found if isinstance(found, list) else [found]
    later = [_later(item, shift, seq if len(items) == 1 else None) for item in items]
    return json.dumps(later if isinstance(found, list) else later[0], ensure_ascii=False).encode()


def _later(item: Any, shift: _Shift, seq: int | None) -> Any:
    if not isinstance(item, dict):
        return item
    at = sender_time(item.get("observed_at"))
    kept: dict[str, Any] = {key: value for key, value in item.items() if key not in ("boot", "seq")}
    if seq is not None:
        kept |= {"boot": shift.boot, "seq": seq}
    return kept if isinstance(at, Refused) else kept | {"observed_at": at + shift.by_ms}
