"""`bridge`: the process on a Raspberry Pi beside the pump."""

from pathlib import Path

import click

from gateway.app_bridge import run_bridge
from gateway.field.speaking import existing_file


@click.command(short_help="Bring pumps' frames from their cables to the broker.")
@click.option("--config", required=True, envvar="DRIPWATCH_BRIDGE", help="The bridge's file.")
def bridge(config: str) -> int:
    """Read pumps on serial lines, TCP and pins, keep what they say on disk, and send it on, until told to stop (TERM, or Ctrl-C).

    It asks pumps and listens; it never commands one. docs/bridge.md tells how to write its file.
    """
    return run_bridge(Path(existing_file(config)))
