"""A bounded QoS 1 publisher for whatever a test makes up (any topic, any bytes, in order), and the plainest things pumps say."""

import itertools
import json
import socket
import time
from collections.abc import Iterable, Iterator

from tests.benchmarks.publisher import CONNACK, PUBACK, connect_packet, packets, publish_packet

IDS = 65_535
TELEMETRY_MS = 1_795_000_000_000  # 2026-11-18: what was said before the gateway started


def pour(port: int, messages: Iterable[tuple[str, bytes]], *, window: int = 200) -> int:
    """Publish all; return how many the broker has acknowledged, which is all of them. At most `window` are under way at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(connect_packet("pouring"))
        unread = bytearray()
        while count_read(wire, unread, CONNACK) == 0:
            pass
        todo, mids, acknowledged, under_way = iter(messages), itertools.cycle(range(1, IDS)), 0, 0
        while True:
            batch = [publish_packet(topic, body, next(mids)) for topic, body in itertools.islice(todo, window - under_way)]
            under_way += len(batch)
            wire.sendall(b"".join(batch))
            if not under_way:
                wire.sendall(b"\xe0\x00")
                return acknowledged
            done = count_read(wire, unread, PUBACK)
            acknowledged, under_way = acknowledged + done, under_way - done


def count_read(wire: socket.socket, unread: bytearray, wanted: int) -> int:
    """Read once; how many packets of this type came."""
    piece = wire.recv(65_536)
    if not piece:
        raise ConnectionResetError("the broker closed the connection")
    unread += piece
    return [kind for kind, _ in packets(unread)].count(wanted)


def occlusion(site: str, device: str) -> tuple[str, bytes]:
    """An alarm that starts now."""
    change = {"observed_at": time.time_ns() // 1_000_000, "alarm": "occlusion-downstream", "phase": "start"}
    return f"dw/v1/{site}/{device}/alarm", json.dumps(change).encode()


def telemetry(site: str, device: str, first: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Numbered readings of one boot, a millisecond apart."""
    for seq in range(first, first + count):
        reading = {"observed_at": TELEMETRY_MS + seq, "boot": "b1", "seq": seq, "rate_ml_h": 0.6}
        yield f"dw/v1/{site}/{device}/telemetry", json.dumps(reading).encode()
