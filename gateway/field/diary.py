"""`diary link` and `diary add`: the home's private page, and what the home says on the phone."""

from typing import Any

import click

from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import FINE, printable, told
from gateway.field.when import When


@click.group(short_help="The home's diary: its private link, an entry by phone.")
def diary() -> None:
    """Let the home keep its diary, or note what it says."""


@diary.command()
@click.argument("course")
@click.option("--base-url", help="How the home reaches the gateway, like https://dripwatch.ward.example; else the ward file's.")
@with_gateway
def link(gateway: Remote, /, *, course: str, base_url: str | None) -> int:
    """Print the private link to COURSE's diary: give it to the home, and to nobody else.

    It stays the same until the pseudonym is enrolled again, and works while the course runs.
    """
    said = gateway.get(course_path(course, "diary/link"))
    click.echo(printable(f"{base_url.rstrip('/')}{said['path']}" if base_url else said["url"]))
    return FINE


@diary.command()
@click.argument("course")
@click.option("--temperature", "temperature_c", type=float, help="In degrees Celsius.")
@click.option("--handwriting", type=click.Choice(["same", "changed"]), help="Of the sentence that is written every day.")
@click.option("--symptom", help="How the patient feels.")
@click.option("--note", help="Anything else.")
@click.option("--from", "from_whom", type=click.Choice(["patient", "caregiver", "nurse"]), help="Who observed it; else nurse.")
@click.option("--observed-at", help="When, like 08:00 or 2026-03-02T08:00 (at most 48 h back); else now.")
@with_gateway
def add(gateway: Remote, /, *, course: str, handwriting: str | None, **given: Any) -> int:
    """Note in COURSE's diary what the home says."""
    if handwriting is not None:
        given["handwriting_changed"] = handwriting == "changed"
    given["observed_at"] = When(gateway).past("--observed-at", given["observed_at"])
    return told(gateway.post(course_path(course, "diary"), given))
