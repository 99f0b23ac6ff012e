"""`token`: what programs show instead of a password. A token's text is printed once, when it is made."""

from urllib.parse import quote

import click

from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import FINE, printable, told
from gateway.field.users import ROLES


@click.group(short_help="Make and revoke what programs show to the API.")
def token() -> None:
    """Tokens of programs: each with a name, a role and, if you like, an end."""


@token.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="read", show_default=True, help="What the program may do.")
@click.option("--for", "for_", help="How long it lasts, like 90d; else until it is revoked.")
@with_gateway
def add(gateway: Remote, /, *, name: str, role: str, for_: str | None) -> int:
    """Make a token called NAME. Its text goes to standard output, and cannot be seen again."""
    made = gateway.post("/api/v1/tokens", {"name": name, "role": role, "for": for_})
    click.echo(f"{made['name']} ({made['role']}): copy the token now, it cannot be seen again", err=True)
    click.echo(printable(made["token"]))
    return FINE


@token.command("list")
@with_gateway
def list_(gateway: Remote, /) -> int:
    """List tokens with their role, who made them and when they end; never their texts."""
    for line in gateway.get("/api/v1/tokens"):
        end = f"ends {line['until_at']}" if line["until_at"] else "no end"
        who = printable(line["created_by"])
        click.echo(f"{printable(line['name']):<20} {line['role']:<11} made {line['created_at']} by {who}, {end}")
    return FINE


@token.command()
@click.argument("name")
@with_gateway
def revoke(gateway: Remote, /, *, name: str) -> int:
    """Have the token NAME open nothing any more, at once."""
    return told(gateway.delete(f"/api/v1/tokens/{quote(name, safe='')}"))
