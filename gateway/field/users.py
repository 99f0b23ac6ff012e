"""`user`: who signs in to the console. Passwords come from the terminal, without an echo, or standard input; never the line."""

import sys
from urllib.parse import quote

import click

from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import FINE, Wrong, printable, told
from gateway.runtime.access import Role

ROLES = tuple(role.value for role in Role)
PASSWORD_MAX = 1_000  # characters that are read; the gateway says how many may be used


@click.group(short_help="Add people who sign in, and change what they may do.")
def user() -> None:
    """Users of the console: people with a role and a password. The role kiosk is for screens on a wall."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the user may do; docs/access.md has the table.")
@with_gateway
def add(gateway: Remote, /, *, name: str, role: str) -> int:
    """Add NAME; the password is asked for, or read from standard input.

    Use the person's name in the ward file: pages and the record then name the same person.
    """
    return told(gateway.post("/api/v1/users", {"name": name, "role": role, "password": _password(name)}))


@user.command("list")
@with_gateway
def list_(gateway: Remote, /) -> int:
    """List users with their role, and whether they can sign in."""
    for line in gateway.get("/api/v1/users"):
        locked = f"locked until {line['locked_until']}" if line["locked_until"] else ""
        state = "disabled" if line["disabled"] else locked or "open"
        browsers = f"{line['sessions']} browser{'' if line['sessions'] == 1 else 's'}"
        click.echo(f"{printable(line['name']):<20} {line['role']:<11} {state}, signed in at {browsers}")
    return FINE


@user.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@with_gateway
def role(gateway: Remote, /, *, name: str, role: str) -> int:
    """Give NAME another role, at once."""
    return told(gateway.post(_path(name, "role"), {"role": role}))


@user.command()
@click.argument("name")
@with_gateway
def password(gateway: Remote, /, *, name: str) -> int:
    """Give NAME another password, asked for or read from standard input; all of NAME's browsers are signed out."""
    return told(gateway.post(_path(name, "password"), {"password": _password(name)}))


@user.command()
@click.argument("name")
@with_gateway
def disable(gateway: Remote, /, *, name: str) -> int:
    """Let NAME sign in no more; all of NAME's browsers are signed out."""
    return told(gateway.post(_path(name, "disable")))


@user.command()
@click.argument("name")
@with_gateway
def enable(gateway: Remote, /, *, name: str) -> int:
    """Let NAME sign in again."""
    return told(gateway.post(_path(name, "enable")))


@user.command()
@click.argument("name")
@with_gateway
def unlock(gateway: Remote, /, *, name: str) -> int:
    """Let NAME try again at once after too many wrong passwords."""
    return told(gateway.post(_path(name, "unlock")))


def _path(name: str, verb: str) -> str:
    return f"/api/v1/users/{quote(name, safe='')}/{verb}"


def _password(name: str) -> str:
    """Typed twice at a terminal, else the first line of standard input. Raises `Wrong` for an empty one."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Password of {printable(name)}", hide_input=True, confirmation_prompt="Again", err=True))
    given = sys.stdin.readline(PASSWORD_MAX).rstrip("\r\n")
    if not given:
        raise Wrong("the password is missing; type it at a terminal, or put it on standard input")
    return given
