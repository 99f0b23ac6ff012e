"""`enrol`, `bag hang`, `course end`, `pump clear`: what is recorded about a treatment, by the gateway's API."""

from typing import Any
from urllib.parse import quote

import click

from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import FINE, printable


@click.command()
@click.option("--course", required=True, help="A pseudonym like P-017, never a name.")
@click.option("--pump", required=True, help="The pump, as in its MQTT topic.")
@click.option("--bag", required=True, help="The bag's kind, like 7-day.")
@click.option("--protocol", help="The protocol; may be left out where the ward has only one.")
@click.option("--primed-ml", type=float, help="How much of the bag filled the line, in mL.")
@click.option("--planned-change", help="When the next bag is due, from hanging, like 6d12h; else the bag's own duration.")
@click.option("--hung-at", help="When the bag was hung, like 2026-03-02T08:00:00+08:00; else now.")
@click.option("--cycle", type=int, help="The treatment cycle, from 1.")
@click.option("--override-reason", help="Enrol although the checklist is not complete, and why.")
@with_gateway
def enrol(gateway: Remote, /, *, override_reason: str | None, **given: Any) -> int:
    """Start watching a course on a pump.

    By enrolling you say that the checklist is complete; where it is not, --override-reason says why you enrol all the same.
    """
    if override_reason is not None:
        given |= {"checklist_complete": False, "override_reason": override_reason}
    return _told(gateway.post("/api/v1/courses", given))


@click.group()
def bag() -> None:
    """Record which bag hangs."""


@bag.command()
@click.argument("course")
@click.option("--bag", required=True, help="The bag's kind, like 7-day.")
@click.option("--primed-ml", type=float, help="How much of the bag filled the line, in mL.")
@click.option("--planned-change", help="When the next bag is due, from hanging, like 6d12h; else the bag's own duration.")
@click.option("--hung-at", help="When it was hung, like 2026-03-02T08:00:00+08:00; else now.")
@with_gateway
def hang(gateway: Remote, /, *, course: str, **given: Any) -> int:
    """Record that a new bag hangs on COURSE."""
    return _told(gateway.post(f"/api/v1/courses/{quote(course, safe='')}/bags", given))


@click.group()
def course() -> None:
    """End a course."""


@course.command()
@click.argument("course")
@click.option("--reason", help="Why it ends.")
@with_gateway
def end(gateway: Remote, /, *, course: str, reason: str | None) -> int:
    """Stop watching COURSE; its pump is free then."""
    return _told(gateway.post(f"/api/v1/courses/{quote(course, safe='')}/end", {"reason": reason}))


@click.group()
def pump() -> None:
    """Record what was seen at a pump."""


@pump.command()
@click.argument("device")
@click.argument("condition")
@with_gateway
def clear(gateway: Remote, /, *, device: str, condition: str) -> int:
    """Record that DEVICE was seen without CONDITION (like air-in-line), because its end was never heard.

    This changes nothing at the pump: its alarm is cleared there.
    """
    return _told(gateway.post(f"/api/v1/pumps/{quote(device, safe='')}/clear", {"condition": condition}))


def _told(done: dict[str, Any]) -> int:
    click.echo(printable(done["message"]))
    return FINE
