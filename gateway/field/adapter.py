"""`adapter`: the technician's bench. Which pumps are read, what frames mean, whether a device is fit, an adapter of one's own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec

import click

from device_adapters.quality import Standing, shipped_laws, shipped_quality
from gateway.domain.readings import Decoded
from gateway.field.adapter_captures import CaptureWriter
from gateway.field.adapter_frames import Caught, adapter_named, decoded
from gateway.field.adapter_live import Live, listen
from gateway.field.adapter_sources import frames_of_file, frames_of_hex, live_of
from gateway.field.adapter_text import frame_json, frame_lines
from gateway.field.at_broker import Credentials, broker_options
from gateway.field.speaking import FINE, NO, No, Wrong, wrapped
from gateway.outside.wall_clock import system_ms

P = ParamSpec("P")
Decorator = Callable[[Callable[P, int]], Callable[P, int]]


def _options(*options: Callable[[Callable[P, int]], Callable[P, int]]) -> Decorator[P]:
    def decorate(command: Callable[P, int]) -> Callable[P, int]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_LIVE = _options(
    click.option("--adapter", help="Which adapter reads it; over MQTT the topic says so."),
    click.option("--serial", help="The serial port, like /dev/ttyUSB0."),
    click.option("--baud", type=click.IntRange(50, 4_000_000), default=9_600, show_default=True, help="Its line speed."),
    click.option("--framing", default="8N1", show_default=True, help="Its data bits, parity and stop bits."),
    click.option("--tcp", help="host:port of the device or its serial server."),
    click.option("--mqtt", help="host:port of the broker."),
    click.option("--topic", help="MQTT: which topics [dw/v1/#]."),
    broker_options,
    click.option("--slot", "slots", multiple=True, help="Ask only for this pump of a rack, like 11; may be repeated."),
    click.option("--silently", is_flag=True, help="Ask nothing: listen to a device that another host asks."),
    click.option("--seconds", type=click.FloatRange(0, 7 * 86_400, min_open=True), help="End after so long; else with Ctrl-C."),
    click.option("--frames", type=click.IntRange(1), help="End after so many frames."),
)


@click.group(short_help="Read, explain, check, record and replay what pumps say.")
def adapter() -> None:
    """See what a device says, byte by byte, and whether Dripwatch can rely on it. Nothing here commands a pump.

    docs/adapters.md tells how to write an adapter of your own in an hour.
    """


@adapter.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_adapters(*, as_json: bool) -> int:
    """Show which pumps are read, and how far each adapter is proved."""
    laws, adapters = shipped_laws(), shipped_quality()
    if as_json:
        claims = [{law: {"standing": c.standing, "reason": c.reason} for law, c in item.claims.items()} for item in adapters]
        about = [{"name": item.name, "pumps": item.pumps, "needs": item.needs, "tried_on": item.seen} for item in adapters]
        click.echo(json.dumps([one | {"laws": said} for one, said in zip(about, claims, strict=True)], indent=2))
        return FINE
    for item in adapters:
        done = [law for law, claim in item.claims.items() if claim.standing is Standing.DONE]
        click.echo(click.style(item.name, bold=True))
        for lead, text in (
            ("  reads  ", item.pumps),
            ("  needs  ", item.needs),
            ("  tried  ", item.seen),
            ("  proved ", ", ".join(done)),
        ):
            click.echo("\n".join(wrapped(text, lead)))
        for law, claim in item.claims.items():
            if claim.standing is Standing.NOT_YET:
                click.echo("\n".join(wrapped(f"{law} ({laws[law]}): {claim.reason}", "  not yet ")))
    return FINE


@adapter.command()
@click.argument("file", required=False)
@_LIVE
@click.option("--hex", "digits", help="The bytes of one frame in hexadecimal digits, instead of a file.")
@click.option("--readings", is_flag=True, help="Readings and refusals only, without the bytes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a frame.")
def decode(*, file: str | None, digits: str | None, readings: bool, as_json: bool, **given: Any) -> int:
    """Explain frames byte by byte, and say what is read of them: of a FILE (`-` for standard input) or of a live device.

    A FILE is a capture, a vendor's bytes, or (named .hex) hexadecimal digits, a frame a line. Exits with 1 when nothing could be
    read. Names of patients and drugs are not shown.
    """
    read = total = 0

    def show(caught: Caught) -> bool:
        nonlocal read, total
        found: Decoded = decoded(caught)
        total += 1
        read += bool(found.readings)
        if as_json:
            click.echo(frame_json(caught, found))
        else:
            click.echo("\n".join(frame_lines(total, caught, found, with_bytes=not readings)))
        return given["frames"] is None or total < given["frames"]

    _each(file, digits, given, show)
    if not total:
        click.echo("dripwatch: no frame", err=True)
    return FINE if read else NO


@adapter.command()
@click.argument("files", nargs=-1)
@_LIVE
@click.option("--without", multiple=True, help="A measure or condition that this pump cannot tell; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, files: tuple[str, ...], without: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Try the laws of its adapter on a live device or on FILES, and say what is missing; 1 when something is.

    Let it run while you provoke each alarm at the pump and clear it again. A device is fit when nothing is missing.
    """
    from gateway.field.adapter_check import FRAMES_MAX, examined, report_lines  # noqa: PLC0415 - not for the other commands

    frames: list[Caught] = []

    def take(caught: Caught) -> bool:
        frames.append(caught)
        return len(frames) < min(given["frames"] or FRAMES_MAX, FRAMES_MAX)

    written = [*_check_files(files, given, take)]
    found = examined(frames, written, without)
    click.echo(json.dumps([item.as_json() for item in found], indent=2) if as_json else "\n".join(report_lines(found)))
    return FINE if all(item.holds for item in found) else NO


def _check_files(files: tuple[str, ...], given: dict[str, Any], take: Callable[[Caught], bool]) -> Iterator[bytes]:
    """What was written to the device while it was listened to."""
    for file in files or (None,):
        yield from _each(file, None, given, take)


@adapter.command()
@_LIVE
@click.option("--out", required=True, help="The new file.")
def capture(*, out: str, **given: Any) -> int:
    """Record what a live device says, with the times, until Ctrl-C, --seconds or --frames. Without --adapter bytes as they come.

    The file holds the bytes as they were, names of patients and drugs too: it is written for you alone. Keep it so.
    """
    live = live_of(given)
    if live is None:
        raise Wrong("which device? Give --serial, --tcp or --mqtt")
    writer = CaptureWriter(Path(out), live.way, system_ms())

    def keep(caught: Caught) -> bool:
        writer.keep(caught)
        return not writer.full and (given["frames"] is None or writer.frames < given["frames"])

    try:
        listen(live, keep, _say, seconds=given["seconds"])
    finally:
        writer.close()
        if not writer.frames:  # it would only be in the way of the next try
            Path(out).unlink(missing_ok=True)
    if not writer.frames:
        raise No("nothing came; are device, cable, line speed and topic right? One that speaks only when asked needs --adapter")
    full = "; it is full, and the recording ended" if writer.full else ""
    click.echo(f"{out}: {writer.frames} frames{full}. It may hold names: keep it as you keep patients' papers")
    return FINE


@adapter.command()
@click.argument("file")
@click.option("--mqtt", required=True, help="host:port of the broker, of this machine only.")
@broker_options
@click.option("--site", required=True, help="The ward's site, as in topics.")
@click.option("--device", help="Under which device; else each under its own name, where the capture has one.")
@click.option("--slot", help="Which pump of a rack, where the capture has several.")
@click.option("--adapter", "named", help="Which adapter reads bytes that were recorded without one.")
@click.option("--speed", type=click.FloatRange(0.001, 1e6), default=1.0, show_default=True, help="So many times as fast.")
@click.option(
    "--times", type=click.Choice(["now", "kept"]), default="now", show_default=True, help="Shift the times, or keep them."
)
def replay(*, file: str, mqtt: str, site: str, named: str | None, speed: float, times: str, **given: Any) -> int:
    """Play a capture FILE onto a broker of this machine, as a bridge would send it.

    With --times now the last frame is told as happening when it is sent, and the others as long before it as they were: at any
    speed the gateway sees the recorded gaps, as a backlog.
    """
    from gateway.field.adapter_replay import Asked, Played, replayed  # noqa: PLC0415 - not for the other commands

    frames = list(frames_of_file(file, named, system_ms()))
    asked = Asked(broker=mqtt, site=site, device=given["device"], slot=given["slot"], speed=speed, shifted=times == "now")
    played: Played = replayed(frames, asked, Credentials.given(given))
    for word in played.words:
        click.echo(word)
    return FINE


@adapter.command("new")
@click.argument("name")
@click.option("--into", default=".", show_default=True, help="The checkout of Dripwatch.")
def new_adapter(*, name: str, into: str) -> int:
    """Begin an adapter in a checkout: NAME is maker_model. Makes its file, captures, quality entry, registry line and test."""
    from gateway.field.adapter_new import begun  # noqa: PLC0415 - not for the other commands

    for word in begun(name, Path(into)):
        click.echo(word)
    return FINE


def _each(file: str | None, digits: str | None, given: dict[str, Any], each: Callable[[Caught], bool]) -> list[bytes]:
    """Hand frames of a file, of digits or of a device to `each` until it has enough; returns what was written to the device."""
    live: Live | None = live_of(given)
    if sum(item is not None for item in (file, digits, live)) != 1:
        raise Wrong("one source: a FILE, --hex, --serial, --tcp or --mqtt")
    if live is not None:
        return listen(live, each, _say, seconds=given["seconds"]).written
    if given["adapter"] is not None:
        adapter_named(given["adapter"])
    now = system_ms()
    for caught in (
        frames_of_hex(digits, given["adapter"], now) if digits is not None else frames_of_file(file or "", given["adapter"], now)
    ):
        if not each(caught):
            break
    return []


def _say(words: str) -> None:
    click.echo(f"dripwatch: {words}", err=True)
