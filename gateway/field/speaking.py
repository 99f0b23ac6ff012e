"""How the command line speaks: one line for what is wrong, plain words, colours only on a terminal."""

import os
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

FINE, NO, WRONG = 0, 1, 2
WIDTH = 80

_COLOURS = {"high": "red", "medium": "yellow", "low": "cyan"}


class No(click.ClickException):
    """The answer is no: a command that was refused. The text is the reason."""

    exit_code = NO


class Wrong(click.ClickException):
    """The call or a file is wrong, or nobody answers. The text says what, where, and the mend, in one line."""

    exit_code = WRONG


class LinedWrong(Wrong):
    """Several things are wrong; one line each."""

    def __init__(self, lines: Iterable[object]) -> None:
        super().__init__("\n".join(printable(str(line)) for line in lines))


def wants_colour() -> bool | None:
    """False where NO_COLOR is set (no-color.org); None leaves it to click, which colours terminals only."""
    return False if os.environ.get("NO_COLOR") else None


def printable(text: str) -> str:
    """Without control characters: what a device or a person wrote must not steer the reader's terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def priority_word(priority: str) -> str:
    """`HIGH` in its colour, padded to a column."""
    word = f"{priority.upper():<7}"
    return click.style(word, fg=_COLOURS.get(priority), bold=True)


def wrapped(text: str, lead: str) -> list[str]:
    """The text behind `lead`, its further lines indented below, within 80 columns."""
    return textwrap.wrap(printable(text), WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)) or [lead.rstrip()]


def told(done: Mapping[str, Any]) -> int:
    """Say what the gateway says it did; the exit code is that of a command that was carried out."""
    click.echo(printable(done["message"]))
    return FINE


def existing_file(text: str) -> Path:
    """The path, when there is a file that can be read. Raises `Wrong`."""
    path = Path(text)
    if not path.is_file():
        raise Wrong(f"{path}: {'is a directory, not a file' if path.is_dir() else 'there is no such file'}; check the path")
    return path
