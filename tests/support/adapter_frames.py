"""Frames of every adapter for tests that ask the same of all: its captures, broken captures, and frames with a secret in them."""

import random
from collections.abc import Iterator
from pathlib import Path

from device_adapters.envelope import Sent, opened
from device_adapters.registry import ADAPTERS, decode
from gateway.domain.readings import Decoded
from tests.support.bcc_encoder import answer, checked, pump_items
from tests.unit.device_adapters.hl7_encoder import pid, status_message

CAPTURES = Path(__file__).parents[1] / "captures"
AT = 1_772_409_600_000
SECRET = "Zxqjkv"  # stands where a name could stand; must never come out


def folder(adapter: str) -> Path:
    """Where an adapter's captures are."""
    return CAPTURES / adapter.replace("-", "_")


def captures(adapter: str) -> dict[str, bytes]:
    """The payloads of an adapter's captures by their names."""
    found = {path.parent.name: _read(path) for path in sorted(folder(adapter).glob("*/frame.*"))}
    return {name: payload for name, payload in found.items() if payload}


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text()) if path.suffix == ".hex" else path.read_bytes()


def told(adapter: str, capture: str, payload: bytes) -> Decoded:
    """What the adapter makes of a payload; the JSON channels are named by the capture's first word."""
    if adapter == "generic-json":
        return decode(capture.split("-", maxsplit=1)[0], payload)
    return decode(f"raw/{adapter}", payload, received_at=AT)


def broken(adapter: str, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(capture, payload): frames after a few accidents each; every other BCC frame with its check made right again."""
    dice, good = random.Random(seed), sorted(captures(adapter).items())
    for turn in range(count):
        name, payload = dice.choice(good)
        body = bytearray(payload)
        for _ in range(dice.randint(1, 5)):
            at, length = dice.randrange(len(body) + 1), dice.randint(1, 12)
            body[at : at + length] = [b"", dice.randbytes(1), body[at : at + length] * 2, dice.choice(good)[1][:60]][
                dice.randrange(4)
            ]
        yield name, resealed(bytes(body)) if turn % 2 else bytes(body)


def resealed(payload: bytes) -> bytes:
    """The payload with the length and check of its first BCC frame made right, so that what lies behind them is reached."""
    start, end = payload.find(b"\x01"), payload.find(b"\x04")
    if not 0 <= start < end - 14:
        return payload
    inner = payload[start + 7 : end - 6]
    plain = checked(b"\x01%05d\x02" % (len(inner) + 14) + inner + b"\x03")
    return payload[:start] + plain + payload[end + 1 :]


def with_secret(adapter: str) -> tuple[str, bytes]:
    """(channel, payload) that is read, with a secret where this adapter's frames hold names."""
    match adapter:
        case "bbraun-bcc":
            return "raw/bbraun-bcc", answer(pump_items(INSOL=SECRET, INSOLSN=SECRET, INSERNUM=SECRET))
        case "ihe-pcd":
            return "raw/ihe-pcd", status_message().replace(pid().encode(), pid(family=SECRET, given=SECRET).encode())
        case "relay-and-scale":
            return "raw/relay-and-scale", b'{"relay": "idle", "light": "green", "patient": "%b"}' % SECRET.encode()
        case _:
            return "telemetry", b'{"observed_at": %d, "rate_ml_h": 0.6, "patient": "%b"}' % (AT, SECRET.encode())


def body_of(payload: bytes) -> bytes:
    """A capture without its envelope."""
    found = opened(payload)
    return found[1] if isinstance(found, tuple) else payload


def raises_nothing(adapter: str, payload: bytes) -> Decoded:
    """The adapter itself, not behind the registry that would catch what it raises."""
    return ADAPTERS[adapter].decode(body_of(payload), Sent(AT, "b1", 1))
