"""The runbook has a section or a row for all that Dripwatch says of itself; its links lead somewhere, its commands exist."""

import ast
import re
import shlex
from collections.abc import Iterator

import click
import pytest
import yaml

from gateway.field.cli import cli
from gateway.runtime.watchdog import Trouble
from rules.loader import load_protocol, shipped_text
from rules.predicates import PREDICATES
from tests.support.source_tree import ROOT

BOOK = (ROOT / "deploy" / "runbook.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^#+ (.+)$", BOOK, re.MULTILINE)
FENCES = re.findall(r"^```([^\n]*)\n(.*?)^```$", BOOK, re.MULTILINE | re.DOTALL)
PLAIN = " ".join(BOOK.split())

# Where findings get their words: (file, functions, tables and exceptions).
SAID = (
    ("gateway/outside/mqtt_findings.py", ("_REASONS", "_cause")),
    ("gateway/outside/influx_sink.py", ("StoreUnavailable",)),
    ("gateway/runtime/vitals.py", ("health",)),
    ("gateway/runtime/auditor.py", ("_disk_answers", "_read", "_escalations", "_outbox", "_put_back")),
    ("gateway/runtime/emergency.py", ("__init__", "note", "note_standstill")),
    ("gateway/runtime/probing.py", ("MISSED",)),
    ("gateway/runtime/prober.py", ("_tell", "_ping_outside")),
    ("gateway/runtime/ward_watch.py", ("reload", "look")),
    ("gateway/runtime/fold.py", ("judge",)),
    ("gateway/console/twilio_inbound.py", ("_signed", "_message")),
    ("gateway/core/stopping.py", ("said",)),
)
LOGS = {"debug", "info", "warning", "error", "critical", "exception"}
WORDS_LEAST = 3  # a shorter piece of text is glue: "for ", " (", "of"


def pieces(node: ast.AST) -> Iterator[str]:
    """The fixed texts below a node, of a filled-in text its longest; neither docstrings nor what goes to a log or an asker."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in LOGS or called == "Trouble":
            return
    if isinstance(node, ast.JoinedStr):
        yield max((part.value for part in node.values if isinstance(part, ast.Constant)), key=len, default="")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        for below in ast.iter_child_nodes(node):
            yield from pieces(below)


def said() -> Iterator[tuple[str, str]]:
    """(file, text) of every finding."""
    for path, names in SAID:
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    below = node.body
                case ast.Raise(exc=ast.Call(func=ast.Name(id=name), args=below)):
                    pass
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    below = [value]
                case _:
                    continue
            if name in names:
                for text in dict.fromkeys(piece for part in below for piece in pieces(part)):
                    if len(text.split()) >= WORDS_LEAST:
                        yield path, text


@pytest.mark.parametrize(("path", "text"), list(said()), ids=lambda value: value.rpartition("/")[2][:40].strip())
def test_every_finding_is_in_the_book(path: str, text: str) -> None:
    """Whoever reads it on a screen finds it by its own words, and what to do stands beside it."""
    assert " ".join(text.split()).strip("…);,. ") in PLAIN, (path, text)


def test_every_place_that_says_something_is_still_there() -> None:
    """A function that was renamed would silently say nothing to the test above."""
    empty = [path for path, _ in SAID if path not in {where for where, _ in said()}]
    assert empty == []


def test_every_alert_about_dripwatch_itself_has_its_section() -> None:
    """Site rules, words of the watchdog, rules for Prometheus."""
    text = shipped_text("blinatumomab_home")
    assert text is not None
    rules = load_protocol(text, "blinatumomab_home").rules
    site = {rule.name for rule in rules if "course" not in PREDICATES[rule.predicate].scopes}
    assert {"gateway-deaf", "site-silent", "watchdog-silent", "broker-dropped"} <= site
    assert sorted((site | {"undecodable-data", "pump-never-heard"} | set(Trouble)) - set(HEADINGS)) == []
    groups = yaml.safe_load((ROOT / "deploy/prometheus/dripwatch.rules.yaml").read_text(encoding="utf-8"))["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    assert alerts == set(re.findall(r"^\| `(Dripwatch\w+)` \|", BOOK, re.MULTILINE))


def test_every_link_leads_somewhere() -> None:
    """Within the book by its headings, elsewhere by its files."""
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADINGS}
    assert [link for link in re.findall(r"\]\(#([^)]+)\)", BOOK) if link not in anchors] == []
    files = re.findall(r"`((?:docs|deploy)/[^` ]+)`", BOOK)
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_block_runs_or_says_why_not() -> None:
    """Whoever types it knows what to expect."""
    assert [head for head, _ in FENCES if not re.fullmatch(r"sh|sh may exit 1: \w.+|sh not run: \w.+", head)] == []


def lines() -> Iterator[list[str]]:
    """The words of every `dripwatch` line of a block, run or not."""
    for _, block in FENCES:
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.partition(" > ")[0])
            if words[:1] == ["dripwatch"]:
                yield words[1:]


@pytest.mark.parametrize("words", list(lines()), ids=" ".join)
def test_every_command_can_be_typed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a block that no test can run: command, arguments and options are those of the program."""
    for setting in shlex.split(FENCES[0][1])[1:]:
        monkeypatch.setenv(*setting.split("=", 1))
    context, command = click.Context(cli), cli
    while isinstance(command, click.Group):
        name, command, words = command.resolve_command(context, words)
        assert command is not None, name
    # Files need not be there for a line to be right.
    for option in command.params:
        if isinstance(option.type, click.Path):
            option.type.exists = False
    command.make_context("dripwatch", list(words), resilient_parsing=False)
