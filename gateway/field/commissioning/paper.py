"""The record as people read it: a page to print and sign, and lines for a terminal."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.field.speaking import printable, wrapped

_TEMPLATES = Path(__file__).parent.parent / "templates"


def html_of(document: str, name: str) -> str:
    """One A4 page; `name` is the file that the document is kept in."""
    whole = json.loads(document)
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("commissioning.html").render(
        record=whole["record"], digest=whole["digest"], key=whole["key"], name=name
    )


def lines_of(record: Mapping[str, Any], digest: str) -> Iterator[str]:
    """The same in 80 columns."""
    course = f", for {printable(str(record['course']))}" if record["course"] else ""
    yield printable(f"pump {record['device']} at {record['site']}{course}: {str(record['verdict']).upper()}")
    yield printable(f"{record['began_at']} to {record['ended_at']}, by {record['by']}")
    for step in record["steps"]:
        yield from wrapped(str(step["words"]), f"  {step['title']:<13} {str(step['result']).upper():<9} ")
    for alarm in record["alarms"]:
        yield from wrapped(_alarm(alarm), f"    {str(alarm['condition']).replace('-', ' ')}: ")
    yield f"document {digest}"


def _alarm(alarm: Mapping[str, Any]) -> str:
    parts = [str(alarm["mark"])]
    if "gateway_after_s" in alarm:
        parts.append(f"at the gateway after {alarm['gateway_after_s']} s")
    return ", ".join([*parts, *(str(alarm[key]) for key in ("would_page", "excused") if alarm.get(key))])
