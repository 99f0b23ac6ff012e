"""`pump show`, `pump swap`, `pump clear`, `pump bench`: a pump as it is known, which course it serves, what was seen at it."""

from typing import Any
from urllib.parse import quote

import click

from gateway.field.incident_text import Told
from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import FINE, Wrong, printable, told


@click.group(short_help="Show a pump; record another one, or what was seen at one.")
def pump() -> None:
    """Show what is known of a pump; record which one serves a course, and what was seen at it."""


@pump.command()
@click.argument("device")
@with_gateway
def show(gateway: Remote, /, *, device: str) -> int:
    """Show what is known of DEVICE: whom it serves, its last words, its alarms, its commissionings."""
    line, when = gateway.get(f"{_path(device)}/full"), Told.of(gateway.get("/api/v1/board"))
    for text in _in_full(line, when):
        click.echo(printable(text))
    return FINE


def _in_full(line: dict[str, Any], when: Told) -> list[str]:
    heard = f"heard {when.at(line['heard_at'])}" if line["heard_at"] else "never heard"
    told = [f"{line['device']}: {'serves ' + line['course'] if line['course'] else 'serves nobody'}, {heard}"]
    if line["bench_until"]:
        told.append(f"  on the bench of {line['bench_who']} until {when.clock(line['bench_until'])}: nobody is called for it")
    clock = "doubtful" if line["clock_doubtful"] else f"{line['clock_offset_ms'] / 1000:+.1f} s"
    told.append(f"  clock {clock}, {line['missing']} messages missing, {line['restarts']} restarts")
    active = [one for one in line["conditions"] if one["active"]]
    told += [f"  alarm {one['condition'].replace('-', ' ')} since {when.at(one['started_at'])}" for one in active]
    told += [
        f"  commissioned {when.at(one['at'])} by {one['who']}: {one['verdict'].upper()}, document {one['digest'][:12]}"
        for one in line["commissioned"]
    ]
    if not line["commissioned"]:
        told.append("  never commissioned")
    return told


@pump.command()
@click.argument("device")
@click.option("--for", "for_", help="How long from now, like 30m; at most 4h.")
@click.option("--over", is_flag=True, help="The work is over.")
@with_gateway
def bench(gateway: Remote, /, *, device: str, for_: str | None, over: bool) -> int:
    """Announce that DEVICE, which serves nobody, is on the bench: nobody is called for what it shows, until an end."""
    if (for_ is None) is not over:
        raise Wrong("either --for, like --for 30m, or --over")
    return told(gateway.delete(f"{_path(device)}/bench") if over else gateway.post(f"{_path(device)}/bench", {"for": for_}))


@pump.command()
@click.argument("course")
@click.argument("device", metavar="PUMP")
@click.option("--reason", required=True, help="Why, like: the first one would not charge.")
@with_gateway
def swap(gateway: Remote, /, *, course: str, device: str, reason: str) -> int:
    """Record that PUMP serves COURSE from now on; the old one serves nobody then."""
    return told(gateway.post(course_path(course, "pump"), {"pump": device, "reason": reason}))


@pump.command()
@click.argument("device")
@click.argument("condition")
@with_gateway
def clear(gateway: Remote, /, *, device: str, condition: str) -> int:
    """Record that DEVICE was seen without CONDITION (like air-in-line), because its end was never heard.

    This changes nothing at the pump: its alarm is cleared there.
    """
    return told(gateway.post(f"{_path(device)}/clear", {"condition": condition}))


def _path(device: str) -> str:
    return f"/api/v1/pumps/{quote(device, safe='')}"
