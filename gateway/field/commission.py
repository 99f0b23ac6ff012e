"""`commission`: take a new pump into service, step by step, in the terminal; and check the record of it."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from device_adapters.telling import tells
from gateway.core.obey_courses import DEVICE_NAME
from gateway.domain.bench import Verdict
from gateway.field.adapter_frames import adapter_named
from gateway.field.adapter_live import Live
from gateway.field.adapter_sources import live_of
from gateway.field.at_broker import BROKER_OPTIONS, broker_options
from gateway.field.commissioning.evidence import Plan
from gateway.field.commissioning.gateway_side import GatewaySide
from gateway.field.commissioning.keeping import KEY_NAME, Kept, keep, verified
from gateway.field.commissioning.paper import lines_of
from gateway.field.commissioning.procedure import Procedure
from gateway.field.commissioning.record import About, BadRecord, record_of
from gateway.field.remote import find, gateway_options, with_gateway
from gateway.field.speaking import FINE, NO, No, Wrong, printable
from gateway.outside.kernel_clock import uptime_ms
from gateway.outside.serial_line import serial_ports
from gateway.outside.site_key import KeyRefused, SiteKey, site_key
from gateway.outside.wall_clock import system_ms

FOLDER = "commissioning"


@click.group(invoke_without_command=True, short_help="Take a pump into service, step by step, with a signed record.")
@click.option("--pump", help="The pump's device name, as in its topic.")
@click.option("--adapter", help="Which adapter reads it; `dripwatch adapter list` names them.")
@click.option("--mqtt", help="host:port of the broker: listen to what the pump's bridge sends. The best way.")
@broker_options
@click.option("--serial", help="The serial port, where no bridge uses it.")
@click.option("--baud", type=click.IntRange(50, 4_000_000), default=9_600, show_default=True, help="Its line speed.")
@click.option("--framing", default="8N1", show_default=True, help="Its data bits, parity and stop bits.")
@click.option("--tcp", help="host:port of the device or its serial server.")
@click.option("--slot", "slots", multiple=True, help="Which pump of a rack, like 11.")
@click.option("--rate", type=click.FloatRange(0, 2_000, min_open=True), help="The prescribed rate, mL/h.")
@click.option("--volume", type=click.FloatRange(0.01, 1_000), default=0.2, show_default=True, help="Enough to judge by, mL.")
@click.option("--cut", type=click.IntRange(5, 3_600), default=60, show_default=True, help="How long the network is pulled, s.")
@click.option("--course", default="", help="The course that it is meant for, for the record.")
@click.option("--folder", default=FOLDER, show_default=True, help="Where records and the site's key are kept.")
@click.option("--no-gateway", is_flag=True, help="There is none to ask; what needs one is not done.")
@gateway_options
def commission(**given: Any) -> int:
    """Commission a pump on the bench, never on a patient: power, pairing, rate, volume, alarms, battery, network.

    Meanwhile the pump is announced as on the bench, so that nobody is paged for what is provoked. It ends in a signed record.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return FINE
    for name in ("pump", "adapter"):
        if given[name] is None:
            raise Wrong(f"--{name} is missing; see dripwatch commission --help")
    if not DEVICE_NAME.fullmatch(given["pump"]):
        raise Wrong(f"--pump {printable(given['pump'])}: small letters, digits and hyphens, as in its MQTT topic")
    if given["no_gateway"] and not given["who"]:
        raise Wrong("who signs the record? Give --as NAME, since no gateway is asked")
    if not sys.stdout.isatty():
        raise Wrong("commission is a screen for a terminal, 80 by 24 or larger; over ssh use ssh -t")
    adapter_named(given["adapter"])
    folder = Path(given["folder"])
    key = _key(folder)
    gateway = None if given["no_gateway"] else _gateway(given)
    site = gateway.site() if gateway is not None else ""
    live = _live(given, site) if any(given[way] for way in ("serial", "tcp", "mqtt")) else None
    if gateway is None:
        return _work(given, site, live, None, key, folder)
    click.echo(gateway.announce())
    try:
        return _work(given, site, live, gateway, key, folder)
    finally:
        _leave(gateway)


@commission.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), help="The site's public key, site.pub; else the one beside FILE.")
def verify(file: Path, *, key: Path | None) -> int:
    """Check that the record in FILE is as it was signed, and show it. Exits with 1 when it is not, or nobody knows the key."""
    record, digest, known = _verified(file, key)
    for line in lines_of(record, digest):
        click.echo(line)
    if not known:
        click.echo("The signature fits, but whose key it is nobody can tell: give the site's with --key.")
        return NO
    click.echo("signed by this site; unchanged")
    return FINE


@commission.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), help="The site's public key, site.pub; else the one beside FILE.")
@with_gateway
def send(gateway: Any, /, *, file: Path, key: Path | None) -> int:
    """Have the gateway remember the record in FILE with its pump, where it could not be told at the time."""
    record, digest, known = _verified(file, key)
    if not known:
        raise No("nobody can tell whose key signed it: give the site's with --key")
    click.echo(GatewaySide(gateway, str(record["device"])).record(digest, Verdict(record["verdict"])))
    return FINE


def _verified(file: Path, key: Path | None) -> tuple[dict[str, Any], str, bool]:
    try:
        return verified(file, key)
    except BadRecord as bad:
        raise No(f"{file}: {bad}") from None


def _key(folder: Path) -> SiteKey:
    try:
        return site_key(folder / KEY_NAME)
    except KeyRefused as refused:
        raise Wrong(str(refused)) from None


def _gateway(given: dict[str, Any]) -> GatewaySide:
    return GatewaySide(find(*(given[name] for name in ("url", "token_file", "ward", "who", "gateway_ca"))), given["pump"])


def _live(given: dict[str, Any], site: str) -> Live:
    """The way that was named. Raises `Wrong`."""
    by_mqtt = given["mqtt"] is not None
    topic = f"dw/v1/{site or '+'}/{given['pump']}/#" if by_mqtt else None
    asked = {name: given[name] for name in ("serial", "baud", "framing", "tcp", "mqtt", "slots", *BROKER_OPTIONS)}
    live = live_of(asked | {"topic": topic, "silently": False, "seconds": None, "adapter": None if by_mqtt else given["adapter"]})
    assert live is not None  # noqa: S101 - a way was named
    return live


def _picked(given: dict[str, Any], site: str, text: str) -> Live:
    """The way that was picked on the screen: a port, `tcp HOST:PORT`, `mqtt HOST:PORT`. Raises `Wrong`."""
    word, _, rest = text.partition(" ")
    way, value = (word, rest.strip()) if word in ("tcp", "mqtt", "serial") else ("serial", text)
    return _live(given | {way: value}, site)


def _work(given: dict[str, Any], site: str, live: Live | None, gateway: GatewaySide | None, key: SiteKey, folder: Path) -> int:
    from gateway.field.commissioning.bench import Bench  # noqa: PLC0415 - `verify` loads no screens
    from gateway.field.commissioning.screens import CommissionApp  # noqa: PLC0415

    plan = Plan(
        device=given["pump"],
        adapter=given["adapter"],
        tells=tells(given["adapter"]),
        course=given["course"],
        rate_ml_h=given["rate"],
        volume_ml=given["volume"],
        cut_ms=given["cut"] * 1_000,
        asks_gateway=gateway is not None,
    )

    def open_bench(way: str) -> Bench:
        return Bench(Procedure(plan), live if live is not None else _picked(given, site, way), gateway, uptime_ms)

    began_at = _now()

    def write(procedure: Procedure) -> Sequence[str]:
        source = app.bench.live.way if app.bench is not None else ""
        by = gateway.who if gateway is not None else str(given["who"])
        about = About(site=site, by=by, source=source, began_at=began_at, ended_at=_now(), version=version("dripwatch"))
        kept = keep(folder, record_of(procedure, about), key)
        return [f"record {kept.document}", f"to print {kept.page}", _told(gateway, kept, procedure.verdict())]

    app = CommissionApp(open_bench, write, pick=live is None, ports=serial_ports())
    return _ended(app.run(), app)


def _told(gateway: GatewaySide | None, kept: Kept, verdict: Verdict) -> str:
    """The document is on the disk whatever becomes of this."""
    later = f"dripwatch commission send {kept.document}"
    if gateway is None:
        return f"no gateway knows of it yet: {later}"
    try:
        return gateway.record(kept.digest, verdict)
    except (No, Wrong) as trouble:
        return f"the gateway does not know of it yet ({trouble.message}): {later}"


def _ended(lines: Sequence[str] | None, app: Any) -> int:
    if lines is None:
        click.echo("left without a record")
        return NO
    for line in lines:
        click.echo(printable(line))
    verdict = app.bench.procedure.verdict() if app.bench is not None else Verdict.INCOMPLETE
    return FINE if verdict is Verdict.PASSED else NO


def _leave(gateway: GatewaySide) -> None:
    """The pump counts again. Where the gateway does not answer the announcement ends by itself."""
    try:
        click.echo(gateway.leave_bench())
    except (No, Wrong) as trouble:
        click.echo(f"the pump is still announced as on the bench, for an hour at most: {trouble.message}", err=True)


def _now() -> str:
    return datetime.fromtimestamp(system_ms() / 1000, UTC).astimezone().isoformat(timespec="seconds")
