"""A bounded QoS 1 publisher for whatever a test makes up: any topic, any bytes, in order, on one connection."""

import itertools
import socket
from collections.abc import Iterable

from tests.benchmarks.publisher import CONNACK, PUBACK, connect_packet, packets, publish_packet

IDS = 65_535


def pour(port: int, messages: Iterable[tuple[str, bytes]], *, window: int = 200) -> int:
    """Publish all; return how many the broker has acknowledged, which is all of them. At most `window` are under way at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(connect_packet("pouring"))
        unread = bytearray()
        while acknowledgements(wire, unread, CONNACK) == 0:
            pass
        todo, mids, acknowledged, under_way = iter(messages), itertools.cycle(range(1, IDS)), 0, 0
        while True:
            batch = [publish_packet(topic, body, next(mids)) for topic, body in itertools.islice(todo, window - under_way)]
            under_way += len(batch)
            wire.sendall(b"".join(batch))
            if not under_way:
                wire.sendall(b"\xe0\x00")
                return acknowledged
            done = acknowledgements(wire, unread, PUBACK)
            acknowledged, under_way = acknowledged + done, under_way - done


def acknowledgements(wire: socket.socket, unread: bytearray, wanted: int) -> int:
    """Read once; how many packets of this type came."""
    piece = wire.recv(65_536)
    if not piece:
        raise ConnectionResetError("the broker closed the connection")
    unread += piece
    kinds = [kind for kind, _ in packets(unread)]
    return kinds.count(wanted)
