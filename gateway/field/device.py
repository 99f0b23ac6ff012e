"""`device`: who may connect to the broker. Works on the broker's folder; no gateway needs to run."""

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from gateway.console.times import rfc3339
from gateway.domain.instants import DAY_MS, Instant
from gateway.field.speaking import FINE, NO, Wrong, printable
from gateway.outside.broker_folder import Admission, BrokerFolder
from gateway.outside.broker_register import CannotDo, Device
from gateway.outside.broker_rules import HOUSE, Kind
from gateway.outside.device_bundle import write_bundle
from gateway.outside.wall_clock import system_ms

DAYS_MAX = 3_650
ENDS_SOON_MS = 60 * DAY_MS
HOSTS_MAX = 20
NOT_BEFORE_MS = 1_767_225_600_000  # 2026: no clock that is right says less
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TELL = "The broker knows it when it is started anew: systemctl restart mosquitto. Not reload: docs/devices.md says why."


def _name(_context: click.Context, option: click.Parameter, value: str | tuple[str, ...]) -> Any:
    """A site, device or pump as it stands in a topic."""
    for one in (value,) if isinstance(value, str) else value:
        if not _NAME.fullmatch(one):
            raise click.BadParameter(
                f"{printable(one)!r} is no name for a topic: small letters, digits and -, at most 63", param=option
            )
    return value


def _with_folder(run: Callable[..., int]) -> click.Command | Callable[..., int]:
    """The broker's folder as the first argument; what cannot be done there in one line."""

    @click.option(
        "--broker", required=True, envvar="DRIPWATCH_BROKER", type=click.Path(file_okay=False), help="The broker's folder."
    )
    @wraps(run)
    def guarded(*, broker: str, **given: Any) -> int:
        try:
            return run(BrokerFolder(Path(broker)), **given)
        except CannotDo as error:
            raise Wrong(str(error)) from None
        except OSError as error:
            raise Wrong(f"{error.filename or broker}: {(error.strerror or str(error)).lower()}") from None

    return guarded


_DAYS = click.option(
    "--days", type=click.IntRange(1, DAYS_MAX), default=1_095, show_default=True, help="How long a certificate opens."
)
_TO = click.option("--to", type=click.Path(dir_okay=False), help="The bundle's file; else NAME.tar.gz here.")


@click.group(short_help="Who may connect to the broker: let in, renew, shut out.")
def device() -> None:
    """Who may connect to the broker, with which credentials, and what they may do there. docs/devices.md tells the whole way."""


@device.command()
@click.option("--site", required=True, callback=_name, help="The ward, as in its topics.")
@click.option(
    "--host", "hosts", required=True, multiple=True, help="How the broker is reached; may be repeated, the first is told."
)
@click.option("--owner", help="Whose files the broker reads: its user's name or number. Needs root.")
@_with_folder
def ca(folder: BrokerFolder, *, site: str, hosts: tuple[str, ...], owner: str | None) -> int:
    """Make the broker's folder: two authorities, and the broker's certificate. Again: only a new certificate, for these hosts."""
    if len(hosts) > HOSTS_MAX or not all(0 < len(host) <= 253 for host in hosts):
        raise Wrong(f"--host: at most {HOSTS_MAX} names or addresses of at most 253 characters")
    folder.begin(site, hosts, _now(), owner)
    click.echo(f"{folder.doors}: for the broker. Keep {folder.path}/private to yourself, and in your backups.")
    return FINE


@device.command()
@click.argument("name", callback=_name)
@click.option(
    "--as", "kind", type=click.Choice([kind.value for kind in Kind]), help="What it is; a pump, or with --for a bridge."
)
@click.option("--for", "pumps", multiple=True, callback=_name, help="A pump that it speaks for, or may look at.")
@click.option("--tls", "door", flag_value="tls", default="tls", help="Let it in by a certificate of its own (the default).")
@click.option("--password", "door", flag_value="password", help="Let it in by a password, where it cannot show a certificate.")
@_DAYS
@_TO
@_with_folder
def add(
    folder: BrokerFolder, *, name: str, kind: str | None, pumps: tuple[str, ...], door: str, days: int, to: str | None
) -> int:
    """Let NAME in, and write its bundle: the broker's address, the credentials, the topics."""
    what = Kind(kind) if kind else Kind.BRIDGE if pumps else Kind.PUMP
    if what in HOUSE and door == "password":
        raise Wrong(f"a {what} is let in by a certificate only; leave --password out")
    admission = folder.prepare(what, name, "password" if door == "password" else "tls", pumps, _now(), days)
    return _let_in(folder, admission, to)


@device.command()
@click.argument("name", callback=_name)
@_DAYS
@_TO
@_with_folder
def renew(folder: BrokerFolder, *, name: str, days: int, to: str | None) -> int:
    """Give NAME new credentials. Its old certificate goes on opening until it ends; an old password does not."""
    return _let_in(folder, folder.prepare_again(name, _now(), days), to)


@device.command("list")
@_with_folder
def list_(folder: BrokerFolder) -> int:
    """List who may connect. Exit 1: a certificate ends within 60 days, or has ended."""
    register, now = folder.read(), _now()
    for name, known in sorted(register.devices.items()):
        pumps = f" for {', '.join(known.pumps)}" if known.pumps else ""
        click.echo(f"{name:<20} {known.kind.value:<9} {_admitted_until(known, now)}{pumps}")
    return NO if any(_ends_soon(one, now) for one in register.admitted()) else FINE


@device.command()
@click.argument("name", callback=_name)
@_with_folder
def revoke(folder: BrokerFolder, *, name: str) -> int:
    """Let NAME in no more: its topics, its password and all its certificates are taken away."""
    folder.revoke(name, _now())
    click.echo(f"{name}: shut out. {_TELL}")
    return FINE


def _now() -> Instant:
    now = system_ms()
    if now < NOT_BEFORE_MS:
        raise Wrong(f"this machine's clock says {rfc3339(now)[:10]}; set it first, or the certificates would open nothing")
    return now


def _let_in(folder: BrokerFolder, admission: Admission, to: str | None) -> int:
    """The bundle first: credentials that nobody holds would be worse than a bundle that opens nothing yet."""
    bundle = Path(to or f"{admission.device.name}.tar.gz")
    write_bundle(bundle, folder.read(), admission)
    try:
        folder.admit(admission)
    except BaseException:
        bundle.unlink(missing_ok=True)
        raise
    click.echo(f"{bundle}: carry it to {admission.device.name} by a safe way, and delete it here. It holds a secret.")
    click.echo(_TELL)
    return FINE


def _admitted_until(known: Device, now: Instant) -> str:
    if known.revoked_at is not None:
        return f"revoked {rfc3339(known.revoked_at)[:10]}"
    if known.until is None:
        return "password"
    ends = rfc3339(known.until)[:10]
    if known.until <= now:
        return f"ENDED {ends}: renew it"
    return f"certificate until {ends}" + (": renew it" if _ends_soon(known, now) else "")


def _ends_soon(known: Device, now: Instant) -> bool:
    return known.until is not None and known.until - now <= ENDS_SOON_MS
