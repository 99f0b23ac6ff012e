"""The shipped alert rules before Prometheus' own checker."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "deploy/prometheus/dripwatch.rules.yaml"),
        ("test", "rules", "tests/prometheus/dripwatch.rules.test.yaml"),
    ],
    ids=["well formed", "each fires when it should and not before"],
)
def test_promtool_agrees(words: tuple[str, ...]):
    """Promtool finds the rules well formed; a quiet hour raises none of them, and trouble raises each."""
    done = subprocess.run(["promtool", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
