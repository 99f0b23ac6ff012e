"""The composition root of the bridge: its own process, on a Raspberry Pi beside the pump, with its own file."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_adapters.cutting import Cuts
from device_adapters.registry import ADAPTERS
from gateway.app_broker import link_settings
from gateway.bridge.beside_reader import BesideReader, BesideWiring, ScalePins
from gateway.bridge.bridge import REMEMBERED_CLOCK, Bridge, BridgeParts
from gateway.bridge.conversation import BccTalk, Conversation, Frames, TextLines
from gateway.bridge.health import LAST_WILL
from gateway.bridge.hx711 import Calibration
from gateway.bridge.intake import Intake, Served
from gateway.bridge.keeper import Keeper, SpoolLimits
from gateway.bridge.last_resort import LastResort
from gateway.bridge.local_alarm import LocalAlarm
from gateway.bridge.pins import Pin, PinFailed, inputs, output
from gateway.bridge.reader import LineReader
from gateway.bridge.sender import Sender
from gateway.bridge.spool import SpoolFailed
from gateway.bridge.stamps import MachineClock, Stamper
from gateway.config.bridge import LoadedBridge, load_bridge_file
from gateway.config.bridge_file import BesideFile, BridgeYaml, LastResortFile, LineFile, PinFile, ScaleFile
from gateway.config.parse import split_listen
from gateway.config.problems import ConfigError
from gateway.outside.kernel_clock import follows_reference, kernel_id, uptime_ms
from gateway.outside.lines import Line, LineLost
from gateway.outside.mqtt_source import MqttSource
from gateway.outside.systemd import ALIVE, READY, STOPPING, tell_systemd
from gateway.outside.wall_clock import system_ms
from gateway.runtime.ports import Accepted, Message

if TYPE_CHECKING:
    from gateway.outside.apprise_transport import AppriseTransport

FINE, NO, WRONG = 0, 1, 2
LISTEN_AGAIN_S = 10.0

_log = logging.getLogger(__name__)

Job = Coroutine[Any, Any, None]


def run_bridge(file: Path) -> int:
    """Run the bridge of a file until it is told to stop. Returns the exit code; problems are said on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        return asyncio.run(_run(load_bridge_file(file)))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    except SpoolFailed as error:
        sys.stderr.write(f"the spool cannot be used: {error}\n")
    return WRONG


async def _run(loaded: LoadedBridge) -> int:
    bridge = _bridge(loaded)
    running = asyncio.create_task(bridge.run())

    def stop() -> None:
        bridge.say_goodbye()
        running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    tell_systemd(READY)
    try:
        await running
    except asyncio.CancelledError:
        tell_systemd(STOPPING)
        return FINE
    except ExceptionGroup as failed:  # a part that must not end has ended: the service manager begins anew, from the spool
        _log.critical("the bridge ends: %s", failed.exceptions[0], exc_info=failed)
    return NO


def _bridge(loaded: LoadedBridge) -> Bridge:
    file = loaded.file
    limits = SpoolLimits(max_bytes=file.spool.max_bytes, max_frames=file.spool.max_frames, commit_ms=file.spool.commit)
    keeper = Keeper(loaded.spool, limits)
    machine = MachineClock(wall=system_ms, uptime=uptime_ms, follows=follows(file), kernel=kernel_id())
    stamper = Stamper(machine, keeper.recall(REMEMBERED_CLOCK))
    stamper.look()
    resort = LastResort(file.last_resort.after) if file.last_resort is not None else None
    intake = Intake(keeper, stamper, lambda frame: resort.began(frame, uptime_ms()) if resort is not None else None)
    readers, jobs = _line_readers(file.lines, intake)
    besides = [_beside_reader(one, intake) for one in file.beside]
    source = _source(loaded, devices_of(loaded))
    sender = Sender(file.site, keeper, stamper, source.publish)
    if resort is not None and file.last_resort is not None:
        tell = partial(_tell, _second_path(loaded.url), file.name, file.last_resort) if loaded.url else None
        jobs.append(_local_alarm(LocalAlarm(resort, uptime_ms, sender.send_again, tell), file.last_resort))
    return Bridge(
        BridgeParts(
            site=file.site,
            name=file.name,
            source=source,
            keeper=keeper,
            stamper=stamper,
            sender=sender,
            intake=intake,
            resort=resort,
            uptime=uptime_ms,
            folder=loaded.spool.parent,
            devices=devices_of(loaded),
            jobs=[*jobs, *(one.run() for one in besides)],
            line_findings=lambda: [
                *(reader.finding for reader in readers if reader.finding is not None),
                *(words for one in besides for words in one.findings.values()),
            ],
            line_facts=lambda: {"garbled": sum(reader.garbled for reader in readers) or None},
            alive=lambda: tell_systemd(ALIVE),
        )
    )


def follows(file: BridgeYaml) -> Callable[[], bool]:
    """Whether the clock follows a reference: the kernel says so, or the file does (a clock that runs without power)."""
    return follows_reference if file.clock == "ask" else lambda: True


def _source(loaded: LoadedBridge, devices: list[str]) -> MqttSource:
    """The broker, to which only what this site's devices say is published, and from which only their `dwack` is heard."""
    site, name = loaded.file.site, loaded.file.name
    settings = link_settings(
        loaded.mqtt,
        topics=tuple(f"dwack/{site}/{device}" for device in devices),
        dropped_topic="",
        persistent=False,
        last_will=(f"dw/v1/{site}/{name}/status", LAST_WILL),
    )
    return MqttSource(settings, tells_below=f"dw/v1/{site}/")


# ---- what is read ------------------------------------------------------------------------------------------------------------


def devices_of(loaded: LoadedBridge) -> list[str]:
    """The device names of all pumps."""
    return sorted({served.device for served in _all_served(loaded)})


def _all_served(loaded: LoadedBridge) -> Iterator[Served]:
    for line in loaded.file.lines:
        yield from _served(line)
    for one in loaded.file.beside:
        yield Served(one.pump, "raw/relay-and-scale")


def _served(line: LineFile) -> list[Served]:
    """The pumps of a line. Only what is asked for again and again is thinned out between reports."""
    channel, report_ms = f"raw/{line.adapter}", line.report if line.adapter == "bbraun-bcc" else 0
    if line.pump is not None:
        return [Served(line.pump, channel, None, report_ms)]
    return [Served(device, channel, slot, report_ms) for slot, device in (line.slots or {}).items()]


def _line_readers(lines: list[LineFile], intake: Intake) -> tuple[list[LineReader], list[Job]]:
    readers, jobs = [], []
    for line in lines:
        name = line.serial.port if line.serial is not None else line.tcp or line.listen or ""
        reader = LineReader(name, _served(line), intake, partial(_talk, line), uptime_ms)
        readers.append(reader)
        jobs.append(_listening(reader, line.listen) if line.listen is not None else reader.keep_open(opener(line)))
    return readers, jobs


def _talk(line: LineFile) -> Conversation:
    if line.adapter == "bbraun-bcc":
        return BccTalk(tuple(line.slots or ()), line.poll, uptime_ms(), stuffing=line.stuffing)
    adapter = ADAPTERS[line.adapter]
    return Frames(adapter) if isinstance(adapter, Cuts) else TextLines()


def opener(line: LineFile) -> Callable[[], contextlib.AbstractAsyncContextManager[Line]]:
    """What opens a serial port or a connection."""
    if line.serial is not None:
        from gateway.outside.serial_line import SerialSettings, serial_line  # noqa: PLC0415

        return partial(serial_line, SerialSettings(port=line.serial.port, baud=line.serial.baud, framing=line.serial.framing))
    from gateway.outside.tcp_line import tcp_line  # noqa: PLC0415

    return partial(tcp_line, *split_listen(line.tcp or ""))


async def _listening(reader: LineReader, place: str) -> None:
    from gateway.outside.tcp_line import serve_lines  # noqa: PLC0415

    while True:
        try:
            await serve_lines(*split_listen(place), reader.read)
        except LineLost as lost:
            reader.finding = str(lost)
            _log.warning("%s", lost)
        await asyncio.sleep(LISTEN_AGAIN_S)


def _beside_reader(one: BesideFile, intake: Intake) -> BesideReader:
    named = {"relay": one.relay, "mains": one.mains}
    if one.lights is not None:
        named |= {colour: getattr(one.lights, colour) for colour in type(one.lights).model_fields}
    wiring = BesideWiring(
        wired={name: pin for name, file in named.items() if (pin := pin_of(file)) is not None}, scale=_scale_pins(one.scale)
    )
    return BesideReader(Served(one.pump, "raw/relay-and-scale"), wiring, intake, uptime_ms)


def _scale_pins(file: ScaleFile | None) -> ScalePins | None:
    if file is None:
        return None
    return ScalePins(data=file.data, clock=file.clock, calibration=Calibration(tare=file.tare, counts_per_g=file.counts_per_g))


def pin_of(file: PinFile | None) -> Pin | None:
    """A pin as it is wired."""
    return None if file is None else Pin(file.gpio, active_low=file.active == "low")


# ---- the last resort ---------------------------------------------------------------------------------------------------------


async def _local_alarm(alarm: LocalAlarm, file: LastResortFile) -> None:
    button = pin_of(file.button)
    wired = {"button": button} if button is not None else {}
    try:
        with output(pin_of(file.buzzer)) as sound, output(pin_of(file.light)) as light, inputs(wired, alarm.pressed):
            await alarm.run(sound, light)
    except PinFailed as failed:
        _log.error("the last resort has no pins (%s); the second path and sending again go on", failed)
    await alarm.run(lambda _on: None, lambda _on: None)


def _second_path(url: str) -> "AppriseTransport":
    from gateway.outside.apprise_transport import AppriseTransport  # noqa: PLC0415

    return AppriseTransport("second-path", url)


async def _tell(path: "AppriseTransport", bridge: str, file: LastResortFile, device: str) -> bool:
    text = f"{device}: an alarm, and the gateway has not answered for {file.after // 1000} s. Look at the pump. ({bridge})"
    result = await path.send(Message(f"{bridge}/{device}", file.address, text, f"{device}: alarm unanswered", urgent=True))
    if not isinstance(result, Accepted):
        _log.warning("the second path did not take it: %s", result.reason)
    return isinstance(result, Accepted)
