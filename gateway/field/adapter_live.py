"""Frames of a live device, from a serial port, a TCP connection or a broker, for as long as the technician wants."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from device_adapters.registry import parse_topic
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.readings import Refused
from gateway.field.adapter_frames import BYTES, RAW, Caught
from gateway.field.adapter_talks import Asking, Piece, Talk, listener
from gateway.field.at_broker import NOBODY, Credentials, address
from gateway.field.speaking import No, Wrong
from gateway.outside.kernel_clock import uptime_ms
from gateway.outside.lines import Line, LineLost, OpenLine
from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.outside.serial_line import SerialSettings, serial_line
from gateway.outside.tcp_line import tcp_line
from gateway.outside.wall_clock import system_ms
from gateway.runtime.ports import Incoming

AGAIN_S = 1.0
LOOK_S = 0.25

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One of `serial`, `tcp` and `mqtt`. Without an adapter a line's bytes are taken as they come."""

    adapter: str | None = None
    serial: SerialSettings | None = None
    tcp: str | None = None
    mqtt: str | None = None
    topic: str = "dw/v1/#"
    credentials: Credentials = NOBODY
    slots: tuple[str, ...] = ()
    silently: bool = False

    @property
    def way(self) -> str:
        """How the frames come."""
        return "serial" if self.serial is not None else "tcp" if self.tcp is not None else "mqtt"


@dataclass(slots=True)
class Heard:
    """What the listening itself has seen: everything that was written to the device."""

    written: list[bytes]
    WRITTEN_MAX = 10_000  # full: what is written no longer changes what a check finds

    def wrote(self, data: bytes) -> None:
        """Keep it."""
        if len(self.written) < self.WRITTEN_MAX:
            self.written.append(data)


def listen(live: Live, each: Callable[[Caught], bool], say: Say, *, seconds: float | None = None) -> Heard:
    """Hand every frame to `each` until that returns False, the time is over, or Ctrl-C. Raises `Wrong`, `No`."""
    heard = Heard([])

    async def go() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), contextlib.aclosing(frames(live, heard, say)) as caught_frames:
                async for caught in caught_frames:
                    if not each(caught):
                        return

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(go())
    return heard


def frames(live: Live, heard: Heard, say: Say) -> AsyncGenerator[Caught, None]:
    """Frames as they come, for ever; `say` is told of troubles and their ends. Raises `Wrong`, `No` where it cannot begin."""
    if live.mqtt is not None:
        return _of_broker(live, say)
    open_line: OpenLine = (
        partial(serial_line, live.serial) if live.serial is not None else partial(tcp_line, *address(live.tcp or ""))
    )
    return _of_line(live, open_line, heard, say)


def _talk(live: Live) -> Talk:
    if live.adapter == "bbraun-bcc" and not live.silently:
        return Asking(live.slots, uptime_ms())
    talk = listener(live.adapter)
    if talk is None:
        raise Wrong(f"{live.adapter} comes over MQTT or from a file; a line needs an adapter with a `cut` (docs/adapters.md)")
    return talk


# ---- a line ------------------------------------------------------------------------------------------------------------------


async def _of_line(live: Live, open_line: OpenLine, heard: Heard, say: Say) -> AsyncGenerator[Caught, None]:
    """Open it, and after a loss again; a line that cannot be opened the first time is a wrong call."""
    opened, told = False, ""
    while True:
        talk = _talk(live)
        try:
            async with open_line() as line:
                if told:
                    say("the line is open again")
                opened, told = True, ""
                async with contextlib.aclosing(_talking(line, talk, heard, say)) as pieces:
                    async for piece in pieces:
                        yield _caught(live, piece)
        except LineLost as lost:
            if not opened:
                raise Wrong(str(lost)) from None
            for piece in talk.finish():
                yield _caught(live, piece)
            if str(lost) != told:
                told = str(lost)
                say(f"{told}; waiting for it")
        await asyncio.sleep(AGAIN_S)


async def _talking(line: Line, talk: Talk, heard: Heard, say: Say) -> AsyncGenerator[Piece, None]:
    unanswered = 0
    while True:
        said, given_up = talk.say(uptime_ms())
        for piece in given_up:
            yield piece
        if talk.unanswered > unanswered:
            unanswered = talk.unanswered
            say("no answer for 5 s: is the device on, and are cable, line speed and slot right?")
        if said:
            heard.wrote(said)
            await line.send(said)
        data = await _receive(line, talk.due_at)
        for piece in talk.receive(data, uptime_ms()) if data else []:
            yield piece


async def _receive(line: Line, until: Instant | None) -> bytes:
    """Bytes, or none when the time is over."""
    if until is None:
        return await line.receive()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0, until - uptime_ms()) / SECOND_MS):
            return await line.receive()
    return b""


def _caught(live: Live, piece: Piece) -> Caught:
    return Caught(system_ms(), f"{RAW}{live.adapter}" if live.adapter else BYTES, piece.body, piece.slot)


# ---- a broker ----------------------------------------------------------------------------------------------------------------


async def _of_broker(live: Live, say: Say) -> AsyncGenerator[Caught, None]:
    host, port = address(live.mqtt or "")
    who = live.credentials
    settings = MqttSettings(
        host=host,
        port=port,
        client_id=f"dripwatch-bench-{os.getpid()}",
        username=who.username,
        password=who.password(),
        tls=who.tls,
        tls_ca=who.ca,
        tls_cert=who.cert,
        tls_key=who.key,
        topics=(live.topic,),
        persistent=False,
        dropped_topic="",
    )
    logging.getLogger("gateway").addHandler(logging.NullHandler())  # what the source logs is said here, in a line of ours
    source = MqttSource(settings)
    running = asyncio.create_task(source.run())
    try:
        items = await _first(source)
        while True:
            if source.finding is not None:
                say(source.finding)
            messages = [item for item in items if isinstance(item, Incoming)]
            source.acknowledge(messages)
            for message in messages:
                place = parse_topic(message.topic)
                channel = "" if isinstance(place, Refused) else place.channel
                yield Caught(system_ms(), channel, message.payload, None, message.topic)
            items = await source.take()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _first(source: MqttSource) -> list[Any]:
    """What there is to take first, with the session; raises `No` when the broker does not let us in."""
    taking = asyncio.create_task(source.take())
    try:
        while not taking.done():
            await asyncio.wait({taking}, timeout=LOOK_S)
            if not taking.done() and source.finding is not None:
                raise No(source.finding)
        return list(taking.result())
    finally:
        taking.cancel()
