"""The bridge before it is left alone: each of its parts tried once, and one line said about each."""

import asyncio
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from gateway.app_bridge import FINE, NO, WRONG, devices_of, follows, opener, pin_of
from gateway.app_broker import link_settings
from gateway.bridge.pins import Pin, PinFailed, inputs, scale
from gateway.config.bridge import LoadedBridge, load_bridge_file
from gateway.config.bridge_file import BesideFile, LineFile
from gateway.config.parse import split_listen
from gateway.config.problems import ConfigError
from gateway.outside.lines import LineLost
from gateway.outside.mqtt_source import MqttSource
from gateway.runtime.ports import Session

PATIENCE_S = 10.0
SETTLE_S = 0.1  # how long a pin may take to say how it is
MIB = 1 << 20

Found = tuple[bool, str]


def check_bridge(file: Path, say: Callable[[str], None]) -> int:
    """Try every part of the bridge of `file`; one line each, `ok` or `NO`. Returns the exit code: 1 when one is not well."""
    logging.getLogger("gateway").addHandler(logging.NullHandler())  # what a part logs is said here, in a line of ours
    try:
        loaded = load_bridge_file(file)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG
    return asyncio.run(_check(loaded, say))


async def _check(loaded: LoadedBridge, say: Callable[[str], None]) -> int:
    well = True
    async for fine, words in _findings(loaded):
        say(f"{'ok' if fine else 'NO'}  {words}")
        well = well and fine
    return FINE if well else NO


async def _findings(loaded: LoadedBridge) -> AsyncIterator[Found]:
    yield _spool(loaded)
    yield _clock(loaded)
    for line in loaded.file.lines:
        yield await _line(line)
    for one in loaded.file.beside:
        yield await _pins(one)
        if one.scale is not None:
            yield await _weighed(one.pump, one.scale.data, one.scale.clock)
    yield await _broker(loaded)


def _spool(loaded: LoadedBridge) -> Found:
    """The folder of the spool, and whether its disk can hold what the spool may grow to."""
    folder = next(parent for parent in loaded.spool.parents if parent.exists())
    if not os.access(folder, os.W_OK):
        return False, f"spool: {folder} cannot be written by this user"
    free, wanted = shutil.disk_usage(folder).free, loaded.file.spool.max_bytes
    return free > wanted, f"spool: {loaded.spool}, {free // MIB} MiB free, it may grow to {wanted // MIB} MiB"


def _clock(loaded: LoadedBridge) -> Found:
    if follows(loaded.file)():
        return True, "clock: follows a reference"
    return False, "clock: follows no reference; let NTP out (timedatectl), or fit a clock with a battery"


async def _line(line: LineFile) -> Found:
    if line.listen is not None:
        host, port = split_listen(line.listen)
        return True, f"line: waits for calls on {host}:{port}"
    name = line.serial.port if line.serial is not None else line.tcp or ""
    try:
        async with asyncio.timeout(PATIENCE_S), opener(line)():
            return True, f"line: {name} opens"
    except TimeoutError:
        return False, f"line: {name}: no answer within {PATIENCE_S:g} s"
    except LineLost as lost:
        return False, f"line: {lost}"


async def _pins(one: BesideFile) -> Found:
    named = {"relay": one.relay, "mains": one.mains}
    if one.lights is not None:
        named |= {colour: getattr(one.lights, colour) for colour in type(one.lights).model_fields}
    wired: dict[str, Pin] = {name: pin for name, file in named.items() if (pin := pin_of(file)) is not None}
    seen: dict[str, bool] = {}
    try:
        with inputs(wired, seen.__setitem__):
            await asyncio.sleep(SETTLE_S)
    except PinFailed as failed:
        return False, f"pins of {one.pump}: {failed}"
    states = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in sorted(seen.items()))
    return set(seen) == set(wired), f"pins of {one.pump}: {states or 'none wired'}"


async def _weighed(pump: str, data: int, clock: int) -> Found:
    try:
        with scale(data, clock) as counts:
            found = await asyncio.to_thread(counts)
    except PinFailed as failed:
        return False, f"scale of {pump}: {failed}"
    if not any(found):  # silence, or nothing but zeros: a wire that is not connected
        return False, f"scale of {pump}: the HX711 on pins {data} and {clock} says nothing; look at its four wires"
    return True, f"scale of {pump}: counts {min(found)} to {max(found)}"


async def _broker(loaded: LoadedBridge) -> Found:
    """A session under a name of its own, so that a bridge that runs is not disturbed."""
    mqtt = loaded.mqtt
    topics = tuple(f"dwack/{loaded.file.site}/{device}" for device in devices_of(loaded))
    settings = link_settings(mqtt, client_id=f"{mqtt.client_id}-check", topics=topics, dropped_topic="", persistent=False)
    source = MqttSource(settings)
    running = asyncio.create_task(source.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while Session.UP not in await source.take():
                continue
    except TimeoutError:
        why = source.finding or f"no answer within {PATIENCE_S:g} s"
        return False, f"broker: {mqtt.host}:{mqtt.port}: {why}"
    else:
        return True, f"broker: {mqtt.host}:{mqtt.port} lets us in"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
