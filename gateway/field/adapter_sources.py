"""Where the bench's frames come from: options that name a live device, files of every kind, and digits."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from device_adapters.envelope import MAGIC
from gateway.domain.instants import Instant
from gateway.field.adapter_captures import is_capture, read_capture
from gateway.field.adapter_frames import BYTES, RAW, Caught, adapter_named
from gateway.field.adapter_live import Live
from gateway.field.adapter_talks import Talk, cut, listener
from gateway.field.at_broker import BROKER_OPTIONS, Credentials
from gateway.field.speaking import Wrong, existing_file
from gateway.outside.serial_line import SerialSettings

FILE_BYTES_MAX: Final = 16 * 1024 * 1024  # of a vendor's bytes, read at once; a capture is read frame by frame
_SLOT: Final = re.compile("[1-3][1-9A-O]")
_MQTT_ONLY: Final = ("topic", *BROKER_OPTIONS)


def live_of(given: dict[str, Any]) -> Live | None:
    """The device that the options name; None where they name none. Raises `Wrong`."""
    ways = [way for way in ("serial", "tcp", "mqtt") if given[way] is not None]
    _refuse_mixed(given, ways)
    if not ways:
        return None
    port = given["serial"]
    return Live(
        adapter=given["adapter"],
        serial=None if port is None else SerialSettings(port=port, baud=given["baud"], framing=given["framing"]),
        tcp=given["tcp"],
        mqtt=given["mqtt"],
        topic=given["topic"] or "dw/v1/#",
        credentials=Credentials.given(given),
        slots=given["slots"],
        silently=given["silently"],
    )


def _refuse_mixed(given: dict[str, Any], ways: list[str]) -> None:
    """An option that would be ignored is a mistake."""
    if len(ways) > 1:
        raise Wrong(f"one way to the device, not {' and '.join('--' + way for way in ways)}")
    for option in _MQTT_ONLY:
        if given[option] is not None and ways != ["mqtt"]:
            raise Wrong(f"--{option.replace('_', '-')} belongs to --mqtt")
    for option in ("slots", "silently"):
        if given[option] and (given["adapter"] != "bbraun-bcc" or ways not in (["serial"], ["tcp"])):
            raise Wrong(f"--{option.removesuffix('s')} belongs to --adapter bbraun-bcc on a line")
    wrong = next((slot for slot in given["slots"] if _SLOT.fullmatch(slot) is None), None)
    if wrong is not None:
        raise Wrong(f"--slot {wrong}: pillar 1-3 and pump 1-9 or A-O, like 11")
    if not ways and given["seconds"] is not None:
        raise Wrong("--seconds belongs to a live device; give --serial, --tcp or --mqtt")
    if given["adapter"] is not None:
        adapter_named(given["adapter"])
        if ways == ["mqtt"]:
            raise Wrong("--adapter does not belong to --mqtt: the topic names it")


def frames_of_hex(digits: str, adapter: str | None, at: Instant) -> Iterator[Caught]:
    """One frame written in digits. Raises `Wrong`."""
    try:
        body = bytes.fromhex(re.sub(r"0[xX]|[,:]", " ", digits))
    except ValueError:
        raise Wrong("--hex: two hexadecimal digits a byte, like 01 30 30 33") from None
    yield Caught(at, f"{RAW}{_needed(adapter)}", body)


def frames_of_file(name: str, adapter: str | None, at: Instant) -> Iterator[Caught]:
    """A capture's frames at their own times; of another file what is in it, dated `at`. Raises `Wrong`."""
    if name == "-":
        yield from _of_bytes(sys.stdin.buffer.read(FILE_BYTES_MAX + 1), adapter, at, "standard input")
        return
    path = existing_file(name)
    with path.open("rb") as file:
        start = file.read(64)
    if is_capture(start):
        yield from _recut(read_capture(path), adapter)
    elif path.suffix == ".hex":
        yield from _of_digits(path, adapter, at)
    else:
        with path.open("rb") as file:
            yield from _of_bytes(file.read(FILE_BYTES_MAX + 1), adapter, at, name)


def _of_digits(path: Path, adapter: str | None, at: Instant) -> Iterator[Caught]:
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        digits = line.partition("#")[0].strip()
        if not digits:
            continue
        try:
            yield Caught(at, f"{RAW}{_needed(adapter)}", bytes.fromhex(digits))
        except ValueError:
            raise Wrong(f"{path}, line {number}: two hexadecimal digits a byte; # begins a remark") from None


def _of_bytes(data: bytes, adapter: str | None, at: Instant, name: str) -> Iterator[Caught]:
    if len(data) > FILE_BYTES_MAX:
        raise Wrong(f"{name}: more than {FILE_BYTES_MAX // 2**20} MiB; record it with `dripwatch adapter capture` instead")
    named = _needed(adapter)
    if data.startswith(MAGIC):  # one message, as a bridge published it
        yield Caught(at, f"{RAW}{named}", data)
        return
    for piece in cut(named, data):
        yield Caught(at, f"{RAW}{named}", piece.body, piece.slot)


def _recut(frames: Iterator[Caught], adapter: str | None) -> Iterator[Caught]:
    """A capture's frames; bytes that nobody had cut into frames are cut now, for the adapter that is named."""
    talk: Talk | None = None
    last: Caught | None = None
    for caught in frames:
        if caught.channel != BYTES:
            yield caught
            continue
        talk = talk or listener(_needed(adapter))
        if talk is None:  # nobody knows where its frames end: as they came
            yield Caught(caught.at, f"{RAW}{adapter}", caught.body)
            continue
        last = caught
        yield from (Caught(caught.at, f"{RAW}{adapter}", piece.body) for piece in talk.receive(caught.body, caught.at))
    if talk is not None and last is not None:
        yield from (Caught(last.at, f"{RAW}{adapter}", piece.body) for piece in talk.finish())


def _needed(adapter: str | None) -> str:
    if adapter is None:
        raise Wrong("which adapter reads it? Give --adapter; `dripwatch adapter list` names them")
    return adapter_named(adapter).name
