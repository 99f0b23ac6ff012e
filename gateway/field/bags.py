"""`bag hang` and `bag order`: which bag hangs, and which one the pharmacy makes."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import told
from gateway.field.when import When

F = TypeVar("F", bound=Callable[..., Any])

_OF_A_BAG = (
    click.option("--bag", required=True, help="The bag's kind, like 7-day."),
    click.option("--primed-ml", type=float, help="How much of the bag filled the line, in mL."),
    click.option("--planned-change", help="When the next bag is due, from hanging, like 6d12h; else the bag's own duration."),
    click.option("--hung-at", help="When it was hung, like 08:15 or 2026-03-02T08:15; else now."),
    click.option("--prepared-at", help="When the pharmacy prepared it, by its label; from then its shelf life counts."),
    click.option("--rate", "rate_ml_h", type=float, help="The rate on its label, in mL/h: refused where it is not the bag's."),
)


def of_a_bag(command: F) -> F:
    """Give a command the options that describe a bag which hangs."""
    for option in reversed(_OF_A_BAG):
        command = option(command)
    return command


def with_times(when: When, given: dict[str, Any]) -> dict[str, Any]:
    """The same options with the times of hanging and preparation made whole. Raises `Wrong`."""
    hung_at = when.past("--hung-at", given["hung_at"])
    return given | {"hung_at": hung_at, "prepared_at": when.past("--prepared-at", given["prepared_at"])}


@click.group(short_help="Record which bag hangs, and which one is ordered.")
def bag() -> None:
    """Record which bag hangs, and which one the pharmacy makes."""


@bag.command()
@click.argument("course")
@of_a_bag
@with_gateway
def hang(gateway: Remote, /, *, course: str, **given: Any) -> int:
    """Record that a new bag hangs on COURSE."""
    return told(gateway.post(course_path(course, "bags"), with_times(When(gateway), given)))


@bag.command()
@click.argument("course")
@click.argument("kind", metavar="BAG")
@click.option("--ready-at", required=True, help="When the pharmacy has it ready, like 16:00 or 2026-03-08T10:00.")
@with_gateway
def order(gateway: Remote, /, *, course: str, kind: str, ready_at: str) -> int:
    """Record that the pharmacy makes a bag for COURSE, of kind BAG (like 7-day); a later order takes an earlier one's place."""
    body = {"bag": kind, "ready_at": When(gateway).ahead("--ready-at", ready_at)}
    return told(gateway.post(course_path(course, "orders"), body))
