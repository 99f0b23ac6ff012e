"""A fast, bounded QoS 1 publisher in a process of its own, for benchmarks and kill tests; loopback only, ends by itself.

`python -m tests.benchmarks.publisher --port 1883 --count 60000 --tail-file done.txt` publishes telemetry of DESIGN 2 to
`dw/v1/{site}/{device}/telemetry` (and, with `--alarm-every N`, each N-th message as an alarm to `.../alarm`), round-robin over
`--devices`, with `--boot` and a `seq` per device. Its own MQTT 3.1.1 encoder keeps at most `--window` messages unacknowledged.
The last line on stdout is one JSON object: `published`, `acknowledged`, `seconds`. `--tail-file` gets one line `device seq` for
every message that the broker acknowledged, in order of the acknowledgements, flushed as they come: a kill test may count on it.
"""

import argparse
import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

CONNACK, PUBACK, PINGRESP = 0x20, 0x40, 0xD0
START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z: a benchmark needs plausible times, not the true one


@dataclass(frozen=True, slots=True)
class Load:
    """What to publish. `rate` in messages a second, 0 for as fast as it goes; `count` over all devices."""

    count: int
    devices: int = 50
    first_seq: int = 1
    boot: str = "b1"
    site: str = "bench"
    rate: float = 0.0
    window: int = 500
    alarm_every: int = 0


def device_name(index: int) -> str:
    """Name of the device with this index."""
    return f"pump-{index:04d}"


def messages(load: Load) -> Iterator[tuple[str, int, str, bytes]]:
    """(device, seq, topic, payload) of each message, about 250 bytes of payload."""
    for number in range(load.count):
        index, round_ = number % load.devices, number // load.devices
        device, seq = device_name(index), load.first_seq + round_
        stamp = f'{{"observed_at": {START_MS + seq * 1_000}, "boot": "{load.boot}", "seq": {seq}, '
        if load.alarm_every and number % load.alarm_every == load.alarm_every - 1:
            body = '"alarm": "occlusion-downstream", "phase": "start", "priority": "high", "stops_delivery": true, "code": "E07"}'
            channel = "alarm"
        else:
            body = (
                '"delivery_status": "delivering", "rate_ml_h": 0.6, "set_rate_ml_h": 0.6, '
                f'"infused_ml": {seq % 100_000 / 1000:.3f}, "remaining_ml": {100 - seq % 100_000 / 1000:.3f}, '
                f'"battery_percent": {100 - seq % 80}, "power": "battery", "pressure_mmhg": 40, "locked": true}}'
            )
            channel = "telemetry"
        yield device, seq, f"dw/v1/{load.site}/{device}/{channel}", (stamp + body).encode()


def publish_packet(topic: str, payload: bytes, mid: int) -> bytes:
    """A QoS 1 PUBLISH as it goes over the wire."""
    name = topic.encode()
    rest = struct.pack(">H", len(name)) + name + struct.pack(">H", mid) + payload
    return b"\x32" + _length(len(rest)) + rest


def connect_packet(client_id: str, keepalive_s: int = 60) -> bytes:
    """A CONNECT of MQTT 3.1.1 with a clean session."""
    name = client_id.encode()
    rest = b"\x00\x04MQTT\x04\x02" + struct.pack(">HH", keepalive_s, len(name)) + name
    return b"\x10" + _length(len(rest)) + rest


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(out)


def packets(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """(type, body) of each whole packet at the front of `data`, which loses them; a broken one raises `ValueError`."""
    at = 0
    while True:
        size, shift, pos = 0, 0, at + 1
        while pos < len(data):
            digit = data[pos]
            size |= (digit & 0x7F) << shift
            pos, shift = pos + 1, shift + 7
            if not digit & 0x80:
                break
            if shift > 21:
                raise ValueError("a packet's length has more than four bytes")
        else:
            break  # not all of the length is here yet
        if pos + size > len(data):
            break
        yield data[at] & 0xF0, bytes(data[pos : pos + size])
        at = pos + size
    del data[:at]


class Publisher:
    """One connection; keeps the window full and notes what was acknowledged."""

    def __init__(self, port: int, load: Load, tail: TextIO | None = None) -> None:
        self._load = load
        self._tail = tail
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = bytearray()
        self._waiting: dict[int, tuple[str, int]] = {}
        self._mid = 0
        self.published = 0
        self.acknowledged = 0

    def run(self) -> float:
        """Publish everything, wait for every acknowledgement; seconds from the first byte to the last PUBACK."""
        self._socket.sendall(connect_packet(f"publisher-{self._load.boot}-{self._load.site}"))
        while not self._read():
            pass
        begin = time.perf_counter()
        source = messages(self._load)
        while self.acknowledged < self._load.count:
            self._send(source, begin)
            self._read()
        seconds = time.perf_counter() - begin
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()
        return seconds

    def _send(self, source: Iterator[tuple[str, int, str, bytes]], begin: float) -> None:
        room = min(self._load.window - len(self._waiting), self._load.count - self.published)
        if self._load.rate:
            due = int((time.perf_counter() - begin) * self._load.rate) + 1 - self.published
            if due <= 0 and not self._waiting:
                time.sleep(1 / self._load.rate)
            room = min(room, due)
        out = []
        for _ in range(max(room, 0)):
            device, seq, topic, payload = next(source)
            self._mid = self._mid % 65_535 + 1
            self._waiting[self._mid] = (device, seq)
            out.append(publish_packet(topic, payload, self._mid))
        if out:
            self.published += len(out)
            self._socket.sendall(b"".join(out))

    def _read(self) -> bool:
        """Read what came, waiting at most until the next message is due; True when the connection was accepted just now."""
        self._socket.settimeout(min(30.0, 1 / self._load.rate) if self._load.rate and self.published else 30.0)
        if self._load.rate and self.published and not self._waiting:
            return False
        try:
            piece = self._socket.recv(65_536)
        except TimeoutError:
            if self._load.rate:
                return False
            raise
        finally:
            self._socket.settimeout(30.0)
        if not piece:
            raise ConnectionResetError("the broker closed the connection")
        self._data += piece
        return self._handle()

    def _handle(self) -> bool:
        accepted, lines = False, []
        for kind, body in packets(self._data):
            if kind == PUBACK:
                device, seq = self._waiting.pop(struct.unpack(">H", body[:2])[0])
                lines.append(f"{device} {seq}\n")
            elif kind == CONNACK and body == b"\x00\x00":
                accepted = True
            elif kind != PINGRESP:
                raise ValueError(f"the broker sent a packet of type {kind:#x}: {body!r}")
        self.acknowledged += len(lines)
        if self._tail is not None and lines:
            self._tail.writelines(lines)
            self._tail.flush()
        return accepted


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second; 0: as fast as it goes")
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--window", type=int, default=500)
    parser.add_argument("--first-seq", type=int, default=1)
    parser.add_argument("--boot", default="b1")
    parser.add_argument("--site", default="bench")
    parser.add_argument("--alarm-every", type=int, default=0)
    parser.add_argument("--tail-file", type=Path)
    return parser.parse_args()


def main() -> None:
    """Run one load from the command line."""
    args = vars(_arguments())
    port, tail_file = args.pop("port"), args.pop("tail_file")
    tail = tail_file.open("a") if tail_file else None
    publisher = Publisher(port, Load(**args), tail)
    seconds = publisher.run()
    if tail is not None:
        tail.close()
    summary = {"published": publisher.published, "acknowledged": publisher.acknowledged, "seconds": round(seconds, 3)}
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
