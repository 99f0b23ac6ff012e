"""`window`, `silence`, `unsilence`: what makes it quieter for a while. Each has an end, and ends loudly."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import click

from gateway.domain.care import WindowKind
from gateway.field.remote import Remote, course_path, with_gateway
from gateway.field.speaking import Wrong, told
from gateway.field.when import When

F = TypeVar("F", bound=Callable[..., Any])

KINDS = tuple(kind.value for kind in WindowKind)

_WITH_AN_END = (
    click.option("--for", "for_", help="How long from now, like 30m."),
    click.option("--until", help="When it ends, like 18:00 or 2026-03-08T18:00."),
)


def with_an_end(command: F) -> F:
    """Give a command the two ways to say when something ends."""
    for option in reversed(_WITH_AN_END):
        command = option(command)
    return command


def _end(gateway: Remote, for_: str | None, until: str | None) -> dict[str, str | None]:
    """`for` or `until` of a body. Raises `Wrong` unless exactly one was typed."""
    if (for_ is None) == (until is None):
        raise Wrong("when does it end? Give either --for, like 30m, or --until, like 18:00")
    return {"for": for_, "until": When(gateway).ahead("--until", until)}


@click.group(short_help="Say that people are about to work on a pump.")
def window() -> None:
    """Planned windows: what begins in one waits for its end; free flow, a wrong rate, fever and milestones never wait."""


@window.command("open")
@click.argument("course")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="In a hospital stay the pump at home is not judged.")
@with_an_end
@with_gateway
def open_(gateway: Remote, /, *, course: str, kind: str, for_: str | None, until: str | None) -> int:
    """Open a window on COURSE now: a bag change lasts at most 1 h, a visit or a stay at the hospital at most 14 days."""
    return told(gateway.post(course_path(course, "windows"), {"kind": kind, **_end(gateway, for_, until)}))


@window.command()
@click.argument("course")
@with_gateway
def close(gateway: Remote, /, *, course: str) -> int:
    """Close COURSE's window before its time; whatever still fires is paged then."""
    return told(gateway.delete(course_path(course, "windows")))


@click.command(short_help="Mute rules of a course, with a reason and an end.")
@click.argument("course")
@click.option("--rules", multiple=True, help="The rules to mute, like battery-running-out,fever; repeatable.")
@click.option("--all", "everything", is_flag=True, help="Mute every rule of the course.")
@with_an_end
@click.option("--reason", required=True, help="Why; it stands beside the silence.")
@with_gateway
def silence(
    gateway: Remote,
    /,
    *,
    course: str,
    rules: tuple[str, ...],
    everything: bool,
    for_: str | None,
    until: str | None,
    reason: str,
) -> int:
    """Mute rules of COURSE, at most 7 days; what is of high priority at most 4 h. Milestones pass through.

    What still fires when the silence ends is paged. The answer names the silence, for dripwatch unsilence.
    """
    named = [rule.strip() for text in rules for rule in text.split(",") if rule.strip()]
    if bool(named) == everything:
        raise Wrong("which rules? Give either --rules, like --rules battery-running-out,fever, or --all")
    body = {"course": course, "rules": named, "reason": reason, **_end(gateway, for_, until)}
    return told(gateway.post("/api/v1/silences", body))


@click.command(short_help="End a silence before its time.")
@click.argument("silence_id", metavar="ID")
@with_gateway
def unsilence(gateway: Remote, /, *, silence_id: str) -> int:
    """End the silence ID before its time, or the only one of a course by the course's name; whatever still fires is paged then.

    dripwatch course list shows the silences that run.
    """
    return told(gateway.delete(f"/api/v1/silences/{quote(silence_id, safe='')}"))
