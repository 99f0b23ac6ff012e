"""`diary link` and `diary add`: the home's private page, and what the home says on the phone."""

from typing import Any
from urllib.parse import quote

import click

from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import FINE, printable


@click.group()
def diary() -> None:
    """Let the home keep its diary, or note what it says."""


@diary.command()
@click.argument("course")
@click.option("--base-url", help="How the home reaches the gateway, like https://dripwatch.ward.example; else its own address.")
@with_gateway
def link(gateway: Remote, /, *, course: str, base_url: str | None) -> int:
    """Print the private link to COURSE's diary: give it to the home, and to nobody else.

    It stays the same until the pseudonym is enrolled again, and works while the course runs.
    """
    said = gateway.get(f"/api/v1/courses/{quote(course, safe='')}/diary/link")
    click.echo(f"{(base_url or gateway.url).rstrip('/')}{printable(said['path'])}")
    return FINE


@diary.command()
@click.argument("course")
@click.option("--temperature", "temperature_c", type=float, help="In degrees Celsius.")
@click.option("--handwriting", type=click.Choice(["same", "changed"]), help="Of the sentence that is written every day.")
@click.option("--symptom", help="How the patient feels.")
@click.option("--note", help="Anything else.")
@click.option("--from", "from_whom", type=click.Choice(["patient", "caregiver", "nurse"]), help="Who observed it; else nurse.")
@click.option("--observed-at", help="When, like 2026-03-02T08:00:00+08:00 (at most 48 h back); else now.")
@with_gateway
def add(gateway: Remote, /, *, course: str, handwriting: str | None, **given: Any) -> int:
    """Note in COURSE's diary what the home says."""
    if handwriting is not None:
        given["handwriting_changed"] = handwriting == "changed"
    done = gateway.post(f"/api/v1/courses/{quote(course, safe='')}/diary", given)
    click.echo(printable(done["message"]))
    return FINE
