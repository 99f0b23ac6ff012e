"""`probe`: the gateway's own test, once, hop by hop."""

import json
import time
from collections.abc import Iterator
from typing import Any

import click

from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import FINE, NO, No, printable
from rules.durations import say_ms

ASK_EVERY_S = 0.2
PATIENCE_S = 3_600.0  # beyond every hop's own deadline: for a gateway that never ends a test

_COLUMN = 14


@click.command(short_help="Test the way from a pump's alarm to a person's answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, once it is complete.")
@with_gateway
def probe(gateway: Remote, *, as_json: bool) -> int:
    """Have the synthetic pump raise an alarm, and print how long each hop takes: up to the test recipient's answer.

    Exit 1 when a hop is not passed in its time; its name is printed. The ward file's `synthetic` says who gets the page.
    """
    number = gateway.post("/api/v1/probe")["number"]
    report: dict[str, Any] = {}
    shown = 0
    for report in _reports(gateway, number):
        for line in report["hops"][shown:] if not as_json else ():
            click.echo(f"{line['hop']:<{_COLUMN}}{_length(line['latency_ms'])}")
        shown = len(report["hops"])
    if as_json:
        click.echo(json.dumps(report, indent=2))
    elif report["failed"]:
        click.echo(f"{report['failed']:<{_COLUMN}}NOT IN TIME: {printable(report['said'])}")
    elif report["detail"]:
        click.echo(f"{printable(report['detail'])}")
    else:
        total_ms = sum(line["latency_ms"] for line in report["hops"])
        click.echo(f"{'in all':<{_COLUMN}}{_length(total_ms)}{', and the outside switch was told' if report['pinged'] else ''}")
    return NO if report["failed"] or report["detail"] else FINE


def _reports(gateway: Remote, number: int) -> Iterator[dict[str, Any]]:
    """The run as it goes on, until it is finished. Raises `No` for one that never ends."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        report = gateway.get("/api/v1/probe")
        if report["number"] >= number:
            yield report
            if report["finished"]:
                return
        time.sleep(ASK_EVERY_S)
    raise No("the test never ended; look at the gateway's log")


def _length(ms: int) -> str:
    return f"{ms} ms" if ms < 10_000 else say_ms(ms)
