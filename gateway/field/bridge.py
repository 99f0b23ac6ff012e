"""`bridge`: the process on a Raspberry Pi beside the pump."""

from pathlib import Path

import click

from gateway.app_bridge import run_bridge
from gateway.field.speaking import existing_file


@click.command(short_help="Bring pumps' frames from their cables to the broker.")
@click.option("--config", required=True, envvar="DRIPWATCH_BRIDGE", help="The bridge's file.")
@click.option("--check", is_flag=True, help="Only try each part once, and say how it is.")
def bridge(config: str, *, check: bool) -> int:
    """Read pumps on serial lines, TCP and pins, keep what they say on disk, and send it on, until told to stop (TERM, or Ctrl-C).

    It asks pumps and listens; it never commands one. docs/bridge.md tells how to write its file.
    """
    if check:
        from gateway.app_bridge_check import check_bridge  # noqa: PLC0415  a bridge that runs has no use for it

        return check_bridge(existing_file(config), click.echo)
    return run_bridge(Path(existing_file(config)))
