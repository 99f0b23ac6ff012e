"""How commands are let in at a broker: the same credentials and certificates as in the `mqtt` part of our files, as options."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, ParamSpec, Self

import click

from gateway.config.parse import split_listen
from gateway.field.speaking import Wrong
from gateway.outside.tls import TlsFileRefused, client_context

P = ParamSpec("P")

BROKER_OPTIONS: Final = ("username", "password_file", "tls", "ca", "cert", "key")

_OPTIONS = (
    click.option("--username", help="MQTT: the user."),
    click.option("--password-file", help="MQTT: the file with its password."),
    click.option("--tls", is_flag=True, default=None, help="MQTT: encrypt, and trust the system's authorities."),
    click.option("--ca", help="MQTT: encrypt, and trust this CA's certificate, a PEM file."),
    click.option("--cert", help="MQTT: our own certificate, where the broker asks for one; a PEM file."),
    click.option("--key", help="MQTT: its private key, where it is a file of its own."),
)


def broker_options(command: Callable[P, int]) -> Callable[P, int]:
    """The options that let one in at a broker: those of `BROKER_OPTIONS`, for `Credentials.given`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who one is at the broker, and whom one trusts. `ca`, `cert` and `key` are paths of PEM files."""

    username: str | None = None
    password_file: str | None = None
    tls: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @classmethod
    def given(cls, given: dict[str, Any]) -> Self:
        """As the options say. Raises `Wrong` for what cannot be meant, and for files that cannot be used."""
        if given["password_file"] is not None and given["username"] is None:
            raise Wrong("--password-file belongs to --username; give both")
        if given["key"] is not None and given["cert"] is None:
            raise Wrong("--key belongs to --cert; give both")
        chosen = {name: given[name] for name in BROKER_OPTIONS} | {"tls": bool(given["tls"] or given["ca"] or given["cert"])}
        made = cls(**chosen)
        made.context()
        return made

    def context(self) -> ssl.SSLContext | None:
        """How TLS is spoken; None: not at all. Raises `Wrong`."""
        try:
            return client_context(self.ca, self.cert, self.key) if self.tls else None
        except TlsFileRefused as refused:
            raise Wrong(str(refused)) from None

    def password(self) -> str | None:
        """The password in its file. Raises `Wrong`."""
        if self.password_file is None:
            return None
        try:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Wrong(f"{self.password_file}: {(getattr(error, 'strerror', None) or 'not UTF-8 text').lower()}") from None

    def of_uplink(self) -> dict[str, Any]:
        """The arguments of `uplink`. A broker that knows us has access rules, of which MQTT 5 alone tells."""
        knows_us = self.username is not None or self.cert is not None
        return {"username": self.username, "password": self.password(), "tls": self.context(), "five": knows_us}


NOBODY: Final = Credentials()
"""A broker that lets everybody in, without TLS."""


def address(text: str) -> tuple[str, int]:
    """`host:port`. Raises `Wrong`."""
    host, port = split_listen(text)
    if not host or "/" in host or not 0 < port < 65_536:
        raise Wrong(f"{text!r} is not a place; write host:port, like 127.0.0.1:1883")
    return host, port
