"""`run` and `demo`."""

from pathlib import Path

import click

from gateway.app import run_demo, run_gateway
from gateway.field.speaking import existing_file


@click.command(short_help="Run the gateway of a ward.")
@click.option("--ward", envvar="DRIPWATCH_WARD", required=True, help="The ward file.")
def run(ward: str) -> int:
    """Run the gateway of a ward until it is told to stop (TERM, or Ctrl-C); HUP takes the ward file in again."""
    return run_gateway(Path(existing_file(ward)))


@click.command(short_help="Show a compressed day with trouble.")
@click.option("--speed", type=click.FloatRange(min=1, max=3_600), default=120.0, show_default=True, help="Times real time.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port of the console; else a free one.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after so many seconds; else at Ctrl-C.")
@click.option("--no-browser", is_flag=True, help="Do not open the board.")
def demo(*, speed: float, port: int | None, seconds: float | None, no_browser: bool) -> int:
    """Show a compressed day with trouble: no server and no configuration is needed, and nobody is paged."""
    return run_demo(speed=speed, port=port, seconds=seconds, open_browser=not no_browser, write=click.echo)
