"""A few seconds of coverage-guided fuzzing for each adapter; `make fuzz` runs it for as long as you like."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from device_adapters import registry
from device_adapters.registry import ADAPTERS
from gateway.domain.readings import Decoded
from tests.fuzz.laws import try_one

SECONDS = 4
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_nothing_breaks_an_adapter(adapter: str, tmp_path: Path):
    """Whatever the fuzzer invents, no law is broken; and it did invent something."""
    # A shell in between: Linux counts a large parent's memory as the peak of what it starts, and the fuzzer limits its own.
    shell = ["sh", "-c", '"$@"; exit $?', "sh"]
    command = [*shell, sys.executable, "-m", "tests.fuzz", adapter, str(SECONDS), str(tmp_path / "inputs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    found = [path.read_bytes().hex() for path in tmp_path.glob("inputs-found-*")]
    assert (done.returncode, found) == (0, []), done.stderr[-3_000:]
    counted = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert counted is not None
    assert int(counted.group(1)) > 100


@pytest.mark.parametrize("arguments", [[], ["no-such", "1"], ["ihe-pcd", "long"], ["ihe-pcd", "1", "a", "b"]])
def test_a_wrong_call_is_told_in_one_line(arguments: list[str]):
    """The mend, and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "python -m tests.fuzz ADAPTER SECONDS" in done.stderr
    assert "Traceback" not in done.stderr


class Silent:
    """An adapter that says nothing."""

    name = "silent"

    def decode(self, payload: bytes, sent: object = None) -> Decoded:
        """Neither a reading nor a refusal."""
        return Decoded()


def test_the_laws_can_be_broken(monkeypatch: pytest.MonkeyPatch):
    """An adapter without an outcome fails, so that passing means something."""
    monkeypatch.setattr("tests.support.adapter_frames.ADAPTERS", {**registry.ADAPTERS, "silent": Silent()})
    with pytest.raises(AssertionError, match="no outcome"):
        try_one("silent", b"")
