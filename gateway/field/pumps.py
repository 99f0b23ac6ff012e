"""`pump swap` and `pump clear`: which pump serves a course, and what was seen at it."""

from urllib.parse import quote

import click

from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import told


@click.group(short_help="Record another pump, or what was seen at one.")
def pump() -> None:
    """Record which pump serves a course, and what was seen at a pump."""


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
    return told(gateway.post(f"/api/v1/pumps/{quote(device, safe='')}/clear", {"condition": condition}))
