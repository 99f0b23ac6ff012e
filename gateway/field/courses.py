"""`course`: look at courses, and record what happens to one between its enrolment and its end."""

from typing import Any

import click

from gateway.field.bags import of_a_bag, with_times
from gateway.field.course_text import course_in_full, courses_in_short
from gateway.field.homes import CAREGIVER_HELP, TRAVEL_HELP, WARD_CONTACT_HELP, caregiver_contacts
from gateway.field.incident_text import Told
from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import FINE, No, Wrong, printable, told
from gateway.field.when import When


@click.group(short_help="Look at courses; change dose, contacts, cycle; end one.")
def course() -> None:
    """Courses: one patient's treatment from its enrolment to its end."""


@course.command("list")
@with_gateway
def list_(gateway: Remote, /) -> int:
    """List the courses that run, the most urgent first: delivery, dose, bag, battery, windows, silences."""
    board = gateway.get("/api/v1/board")
    for line in courses_in_short(board["courses"], Told.of(board)):
        click.echo(line)
    return FINE


@course.command()
@click.argument("course")
@with_gateway
def show(gateway: Remote, /, *, course: str) -> int:
    """Show COURSE with its calls, its diary and whom to reach."""
    board = gateway.get("/api/v1/board")
    line = next((line for line in board["courses"] if line["course"] == course), None)
    if line is None:
        raise No(f"no course {printable(course)} is running; dripwatch course list shows those that are")
    for text in course_in_full(line, gateway.get(course_path(course, "diary")), Told.of(board)):
        click.echo(text)
    return FINE


@course.command()
@click.argument("course")
@click.option("--caregiver", multiple=True, help=CAREGIVER_HELP)
@click.option("--no-caregiver", is_flag=True, help="Nobody is to be reached at home.")
@click.option("--ward-contact", help=WARD_CONTACT_HELP)
@click.option("--travel-minutes", type=int, help=TRAVEL_HELP)
@with_gateway
def contacts(gateway: Remote, /, *, course: str, caregiver: tuple[str, ...], no_caregiver: bool, **given: Any) -> int:
    """Change whom to reach about COURSE. What is not given stays as it is; new caregiver contacts take the old ones' place."""
    if caregiver and no_caregiver:
        raise Wrong("--caregiver or --no-caregiver, one of the two")
    body = {"caregiver": [] if no_caregiver else caregiver_contacts(caregiver), **given}
    if all(value is None for value in body.values()):
        raise Wrong("nothing to change; give --caregiver, --no-caregiver, --ward-contact or --travel-minutes")
    return told(gateway.patch(course_path(course, "contacts"), body))


@course.command()
@click.argument("course")
@click.argument("mcg_per_day", type=float)
@click.option("--override-reason", help="Why before its day.")
@with_gateway
def dose(gateway: Remote, /, *, course: str, mcg_per_day: float, override_reason: str | None) -> int:
    """Record that COURSE has another dose from now on, in mcg a day (MCG_PER_DAY): a step of its protocol."""
    return told(gateway.post(course_path(course, "dose"), {"mcg_per_day": mcg_per_day, "override_reason": override_reason}))


@course.command("break")
@click.argument("course")
@click.option("--reason", help="Why, where the protocol's infusion days are not complete.")
@with_gateway
def break_(gateway: Remote, /, *, course: str, reason: str | None) -> int:
    """Record that the infusion of this cycle is over on COURSE: nothing is expected until the next cycle; its pump is free."""
    return told(gateway.post(course_path(course, "break"), {"reason": reason}))


@course.command("next-cycle")
@click.argument("course")
@click.option("--pump", help="The pump; else the same as before.")
@of_a_bag
@click.option("--override-reason", help="Why before the end of the break.")
@with_gateway
def next_cycle(gateway: Remote, /, *, course: str, **given: Any) -> int:
    """Record that the break of COURSE is over and the first bag of its next cycle hangs."""
    return told(gateway.post(course_path(course, "cycles"), with_times(When(gateway), given)))


@course.command()
@click.argument("course")
@click.option("--reason", help="Why it ends.")
@with_gateway
def end(gateway: Remote, /, *, course: str, reason: str | None) -> int:
    """Stop watching COURSE; its pump is free then."""
    return told(gateway.post(course_path(course, "end"), {"reason": reason}))
