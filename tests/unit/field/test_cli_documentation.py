import re
from pathlib import Path

import click
import pytest

from gateway.field.cli import cli

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()
REACHING = {"--url", "--token-file", "--gateway-ca", "--ward", "--as"}


def every_command() -> dict[str, click.Command]:
    """All commands that do something, by what is typed."""
    found = {}
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {name: command} if command.invoke_without_command else {}
            found |= {f"{name} {below}": one for below, one in command.commands.items()}
        else:
            found[name] = command
    return found


COMMANDS = every_command()


def section(name: str) -> str:
    """What stands behind a command's example, up to the next example or heading."""
    found = re.search(rf"^`{re.escape(name)}\b.*?(?=^`[a-z]|^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_a_table_of_the_page(name):
    """With what it does."""
    assert re.search(rf"^\| `{re.escape(name)}` \| \w", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_with_its_command_and_no_other_is(name):
    """The five that find the gateway are explained once for all."""
    options = {option for one in COMMANDS[name].params if isinstance(one, click.Option) for option in one.opts}
    shared = REACHING if options >= REACHING else set()
    rows = set(re.findall(r"^\| `(--[a-z-]+)` \|", section(name), re.MULTILINE))
    assert rows == options - shared


def test_no_command_of_the_page_is_gone():
    """What the tables name can be typed."""
    rows = re.findall(r"^\| `([a-z][a-z -]*)` \|", PAGE, re.MULTILINE)
    assert set(rows) == set(COMMANDS)


def test_the_options_for_all_and_the_reaching_ones_are_explained():
    """Once, at the top and where the gateway is asked."""
    assert (
        set(re.findall(r"^\| `(--[a-z-]+)` \|", PAGE.partition("They find it")[2].partition("###")[0], re.MULTILINE)) == REACHING
    )
    assert all(f"`{option}`" in PAGE for option in ("-h", "--help", "--debug"))
    assert "`dripwatch --version`" in PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_explains_itself(run, name):
    """`--help` has words for each, and exits with 0."""
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert all(one.help for one in COMMANDS[name].params if isinstance(one, click.Option))
    assert COMMANDS[name].help
