"""`page test`: page somebody now, as a test, and print the receipt as it comes."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click

from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import FINE, NO, Wrong, printable, told
from rules.durations import parse_ms

ASK_EVERY_S = 0.2
WITHIN = "5m"

_SAID = {
    None: "on its way",
    "accepted": "accepted",
    "delivered": "delivered",
    "rejected": "REJECTED for good",
    "temporary": "not taken now; it is tried again",
    "unknown": "nobody knows whether it was sent; it is tried again",
    "no-receipt": "NO RECEIPT came",
    "withdrawn": "GIVEN UP: not sent within ten minutes, or muted meanwhile",
}


@click.command("test")
@click.argument("person")
@click.option("--within", default=WITHIN, show_default=True, help="How long to wait for the last receipt.")
@with_gateway
def test(gateway: Remote, /, *, person: str, within: str) -> int:
    """Page PERSON now by every contact, with a text that says it is a test, and print what becomes of it.

    Exit 1 when a contact did not take it, or has not said so in time. At most one a minute for each person.
    """
    try:
        patience_s = parse_ms(within) / 1_000
    except ValueError as error:
        raise Wrong(f"--within: {error}") from None
    path = f"/api/v1/people/{quote(person, safe='')}"
    done = gateway.post(f"{path}/test-page")
    told(done)
    shown: dict[int, str] = {}
    receipt: Mapping[str, Any] = {"tried": ()}
    for receipt in _receipts(gateway, path, done["seq"], patience_s):
        said = {number: _words(tried) for number, tried in enumerate(receipt["tried"]) if tried["outcome"] is not None}
        for number in (number for number in said if shown.get(number) != said[number]):
            click.echo(said[number])
        shown = said
    for tried in (each for each in receipt["tried"] if each["waits"]):
        click.echo(f"{_way(tried)}: nothing more was heard within {within}")
    works = [tried["works"] and not tried["waits"] for tried in receipt["tried"]]
    return FINE if works and all(works) else NO


def _receipts(gateway: Remote, path: str, seq: int, patience_s: float) -> Iterator[Mapping[str, Any]]:
    """The receipt as it grows, until it is whole or the time is over; nothing where a later test has taken its place."""
    end_s = time.monotonic() + patience_s
    while True:
        receipt = gateway.get(path)["test"]
        if receipt is None or receipt["seq"] != seq:
            return
        yield receipt
        if not receipt["waits"] or time.monotonic() >= end_s:
            return
        time.sleep(ASK_EVERY_S)


def _words(tried: Mapping[str, Any]) -> str:
    said = _SAID.get(tried["outcome"], str(tried["outcome"]))
    awaited = ", its receipt is awaited" if tried["outcome"] == "accepted" and tried["waits"] else ""
    why = f": {printable(tried['reason'])}" if tried["reason"] and not tried["works"] else ""
    return f"{_way(tried)}: {said}{awaited}{why}"


def _way(tried: Mapping[str, Any]) -> str:
    return printable(f"{tried['transport']} {tried['address']}")
