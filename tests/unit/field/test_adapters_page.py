"""docs/adapters.md tells what is so: its commands parse, its Python works, its drawings are the template's and the bench's."""

import dataclasses
import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from device_adapters.envelope import Sent
from device_adapters.spans import explained
from device_adapters.template import Template
from gateway.domain import readings
from gateway.domain.readings import Refusal
from gateway.domain.words import AlarmPhase, Condition
from gateway.field.cli import cli
from tests.support.adapter_frames import AT, CAPTURES

PAGE = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def block(language: str, beginning: str) -> str:
    """The first block of a language that begins so."""
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if text.startswith(beginning))


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("dripwatch ")])
def test_its_commands_can_be_typed(line: str):
    """Every option exists and takes what the page gives it."""
    command: click.Command = cli
    context = click.Context(cli)
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None
        command, words = found, words[1:]
    command.make_context("page", list(words))


def test_its_python_is_an_adapter():
    """It reads two numbers, and refuses what it says."""
    space: dict[str, Any] = {}
    exec(block("python", "from"), space)  # noqa: S102 - our own page
    adapter, sent = space["TwoNumbers"](), Sent(AT)
    (reading,) = adapter.decode(b"0.6 12.4", sent).readings
    assert (reading.rate_ml_h, reading.infused_ml, reading.observed_at) == (0.6, 12.4, AT)
    refused = [
        adapter.decode(body, given).refused[0].reason for body, given in ((b"1 2", None), (b"a b", sent), (b"9e9 1", sent))
    ]
    assert refused == [Refusal.MISSING_FIELD, Refusal.MALFORMED, Refusal.OUT_OF_BOUNDS]
    assert adapter.decode(b"nan 1", sent).refused
    assert [span.hidden for span in explained(adapter, b"0.6 12.4")] == [True]


def test_its_alarms_are_readings():
    """Each that is set by itself, all the others at once."""
    space: dict[str, Any] = {}
    exec(next(text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "ALARMS" in text), space)  # noqa: S102 - as above
    occlusion, clear = space["alarms"](0x02, Sent(AT))
    assert (occlusion.condition, occlusion.phase) == (Condition.OCCLUSION, AlarmPhase.CONTINUE)
    assert clear.conditions == (Condition.DOOR_OPEN, Condition.RESERVOIR_LOW)


def test_its_expectations_are_written_as_captures_have_them():
    """The example of a decoded.json names readings and fields that there are."""
    for told in json.loads(block("json", "[")):
        kind = getattr(readings, told.pop("reading"))
        assert set(told) <= {field.name for field in dataclasses.fields(kind)}


def test_its_drawing_is_the_template():
    """Word for word."""
    drawn = "\n".join(line.strip() for line in block("text", "Frame").splitlines())
    said = "\n".join(line.strip() for line in (Template.decode.__doc__ or "").splitlines())
    assert drawn in said


def test_its_explanation_is_what_the_bench_shows(run):
    """The lines that it quotes come out of `adapter decode`, of a capture that the project ships."""
    frame = CAPTURES / "bbraun_bcc" / "noise-around" / "frame.bin"
    shown = run("adapter", "decode", frame, "--adapter", "bbraun-bcc").stdout
    quoted = re.findall(r"```\n( +\d.*?)```", PAGE, re.DOTALL)
    assert quoted
    assert all(line in shown.splitlines() for text in quoted for line in text.splitlines())
