"""`call`: a call to the home is written down, and what was seen at the pump is a witness."""

from typing import Any

import click

from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import told


@click.command(short_help="Write down a call to the home.")
@click.argument("course")
@click.option("--called", required=True, help="Who was spoken to: patient, caregiver, or a name that the ward uses.")
@click.option("--seen", type=click.Choice(["running", "standing"]), help="What that person saw at the pump.")
@click.option("--advice", help="What you said.")
@click.option("--for", "for_", help="How long a silent pump that was seen running is yours, at most 4h; else 4h.")
@with_gateway
def call(gateway: Remote, /, *, course: str, for_: str | None, **given: Any) -> int:
    """Write down a call to the home of COURSE.

    A silent pump that was seen running is in your hands for a while; one that was seen standing is an interruption.
    """
    return told(gateway.post(course_path(course, "calls"), {**given, "for": for_}))
