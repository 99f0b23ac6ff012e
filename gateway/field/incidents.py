"""`incidents`: look, take, pass on, close, write down. Laid out for 80 columns and three in the morning."""

from collections.abc import Iterator

import click

from gateway.field.incident_text import Told, in_full, in_short
from gateway.field.remote import Remote, incident_path, with_gateway
from gateway.field.speaking import FINE, told

STATES = ("open", "triggered", "acknowledged", "resolved", "all")


@click.group(short_help="Look at incidents, take them, pass them on.")
def incidents() -> None:
    """Incidents: what people own until it is over. KEY is an incident's key, or its course's or ward's name."""


@incidents.command("list")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True, help="Which of them.")
@with_gateway
def list_(gateway: Remote, /, *, state: str) -> int:
    """List incidents, the most urgent first."""
    query = {} if state in ("open", "all") else {"state": state}
    lines = [line for line in gateway.get("/api/v1/incidents", **query) if state != "open" or line["state"] != "resolved"]
    clock = Told.of(gateway.get("/api/v1/board"))
    _echo(in_short(lines, clock, state))
    return FINE


@incidents.command()
@click.argument("key")
@with_gateway
def show(gateway: Remote, /, *, key: str) -> int:
    """Show one incident with its history."""
    line = gateway.get(incident_path(key))
    _echo(in_full(line, Told.of(gateway.get("/api/v1/board"))))
    return FINE


@incidents.command()
@click.argument("key")
@click.option("--for", "for_", help="How long you have it, like 30m; else as long as the policy says.")
@with_gateway
def ack(gateway: Remote, /, *, key: str, for_: str | None) -> int:
    """Take an incident: nobody else is paged until your time is over."""
    return told(gateway.post(incident_path(key, "ack"), {"for": for_}))


@incidents.command()
@click.argument("key")
@with_gateway
def escalate(gateway: Remote, /, *, key: str) -> int:
    """Page the next step now."""
    return told(gateway.post(incident_path(key, "escalate")))


@incidents.command("hand-over")
@click.argument("key")
@click.option("--to", required=True, metavar="PERSON", help="Who is to have it, as the ward file names people.")
@with_gateway
def hand_over(gateway: Remote, /, *, key: str, to: str) -> int:
    """Page a colleague by name. Until it is taken nobody has it."""
    return told(gateway.post(incident_path(key, "hand-over"), {"to": to}))


@incidents.command()
@click.argument("key")
@click.option("--reason", required=True, help="Why it is over.")
@with_gateway
def close(gateway: Remote, /, *, key: str, reason: str) -> int:
    """Close an incident. What still fires with high priority cannot be closed."""
    return told(gateway.post(incident_path(key, "close"), {"reason": reason}))


@incidents.command()
@click.argument("key")
@click.argument("text")
@with_gateway
def note(gateway: Remote, /, *, key: str, text: str) -> int:
    """Add TEXT to an incident's history."""
    return told(gateway.post(incident_path(key, "note"), {"text": text}))


def _echo(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)
