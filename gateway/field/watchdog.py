"""`watchdog`: the process on another host that pages when the gateway dies."""

from pathlib import Path

import click

from gateway.app_watchdog import run_watchdog
from gateway.field.speaking import existing_file


@click.command(short_help="Watch a gateway from another host.")
@click.option("--config", required=True, envvar="DRIPWATCH_WATCHDOG", help="The watchdog's file.")
def watchdog(config: str) -> int:
    """Watch a gateway by the broker and by its own answer, from another host, until told to stop (TERM, or Ctrl-C).

    It tells its own people by its own transports when heartbeat or answer is missing for long enough, and when it is over.
    """
    return run_watchdog(Path(existing_file(config)))
