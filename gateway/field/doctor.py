"""`doctor`: is everything as it must be? One line a check, with the mend."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from gateway.config.lint import findings
from gateway.config.settings import LoadedWard
from gateway.field import doctor_checks as checks
from gateway.field.checking import load_checked
from gateway.field.doctor_checks import Verdict
from gateway.field.remote import DEFAULT_WARD
from gateway.field.speaking import FINE, NO, LinedWrong, printable
from gateway.outside.wall_clock import WallClock

_COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


@click.command(short_help="Check everything around the gateway.")
@click.option("--ward", envvar="DRIPWATCH_WARD", default=DEFAULT_WARD, show_default=True, help="The ward file [DRIPWATCH_WARD].")
@click.option("--url", envvar="DRIPWATCH_URL", help="The gateway's address, where it is not the ward file's [DRIPWATCH_URL].")
@click.option("--gateway-ca", envvar="DRIPWATCH_CA", help="The CA of an https:// address, a PEM file [DRIPWATCH_CA].")
def doctor(ward: str, url: str | None, gateway_ca: str | None) -> int:
    """Check the ward file, broker, journal, store, transports, disk, and the running gateway. Exit 1 when something is bad."""
    worst = "ok"
    for verdict in _verdicts(Path(ward), url, gateway_ca):
        click.echo(f"{click.style(f'{verdict.state:<4}', fg=_COLOURS[verdict.state])}  {printable(str(verdict))}")
        worst = max(worst, verdict.state, key=("ok", "warn", "bad").index)
    return NO if worst == "bad" else FINE


def _verdicts(ward: Path, url: str | None, ca: str | None) -> Iterator[Verdict]:
    try:
        loaded = load_checked(ward)
    except LinedWrong as error:
        for line in error.message.splitlines():
            yield Verdict("bad", "ward file", line)
        return
    yield Verdict("ok", "ward file", f"{ward} loads")
    for finding in findings(loaded, WallClock().now()):
        yield Verdict("warn", "ward file", str(finding))
    looks: tuple[Callable[[LoadedWard], Iterator[Verdict]], ...] = (
        checks.broker,
        checks.journal,
        checks.disk,
        checks.store,
        checks.transports,
    )
    for look in looks:
        yield from look(loaded)
    yield from checks.gateway(loaded, url, ca)
