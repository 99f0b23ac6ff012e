"""`check-config`: everything that is wrong with a ward file, and what a ward would rather know."""

from dataclasses import replace
from pathlib import Path

import click

from gateway.config import lint_texts
from gateway.config.lint import findings
from gateway.config.load import load_ward_file
from gateway.config.problems import ConfigError
from gateway.config.protocols import read_protocols
from gateway.config.settings import LoadedWard
from gateway.field.speaking import FINE, NO, LinedWrong
from gateway.outside.wall_clock import WallClock
from rules.yaml_lines import Problem


@click.command("check-config", short_help="Check a ward file.")
@click.argument("file")
def check_config(file: str) -> int:
    """Check a ward FILE: errors with their lines (exit 2), findings such as nobody on call next Sunday (exit 1)."""
    loaded, texts = load_with_protocols(Path(file))
    found = [*findings(loaded, WallClock().now()), *lint_texts.findings(loaded, texts)]
    for finding in found:
        click.echo(str(finding))
    if found:
        click.echo(f"{file}: loads, with {len(found)} finding{'s' if len(found) > 1 else ''}")
        return NO
    click.echo(f"{file}: loads, nothing to remark")
    return FINE


def load_checked(file: Path) -> LoadedWard:
    """The ward file with its protocols tried too. Raises `LinedWrong` with every problem."""
    return load_with_protocols(file)[0]


def load_with_protocols(file: Path) -> tuple[LoadedWard, dict[str, str]]:
    """The ward file, and the texts of its protocols by name. Raises `LinedWrong`."""
    try:
        loaded = load_ward_file(file)
    except ConfigError as error:
        raise LinedWrong(error.problems) from None
    try:
        texts = read_protocols(loaded.protocols, loaded.rule_overrides, file.parent)
    except ConfigError as error:
        raise LinedWrong(_located(problem, loaded) for problem in error.problems) from None
    return loaded, texts


def _located(problem: Problem, loaded: LoadedWard) -> Problem:
    """A problem of the ward file itself gets its file and line; one in a protocol's file has its own."""
    if problem.source != "ward" or loaded.located is None:
        return problem
    return replace(problem, source=loaded.source, line=loaded.located.line(problem.path))
