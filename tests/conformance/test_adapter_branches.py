"""How much of the adapters their own tests walk through."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PERCENT_MIN = 95  # of lines and branches together, as `coverage` counts them


def test_every_branch_of_an_adapter_is_walked(tmp_path: Path):
    """At least 95 % of each module, by tests/unit/device_adapters alone: no fuzzer, no other part that happens to pass by."""
    coverage = [sys.executable, "-m", "coverage"]
    data = f"--data-file={tmp_path / 'walked'}"
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "tests/unit/device_adapters"]
    left_out = ["--ignore=tests/unit/device_adapters/test_adapter_fuzz.py"]
    ran = _run([*coverage, "run", "--branch", "--source=device_adapters", data, *tests, *left_out])
    assert ran.returncode == 0, ran.stdout[-3_000:]
    told = _run([*coverage, "json", data, "-o", str(tmp_path / "walked.json")])
    assert told.returncode == 0, told.stderr
    files = json.loads((tmp_path / "walked.json").read_text())["files"]
    walked = {Path(name).stem: round(file["summary"]["percent_covered"], 1) for name, file in files.items()}
    assert {"bbraun_bcc", "generic_json", "ihe_pcd", "relay_and_scale", "mllp", "hl7"} <= walked.keys()
    assert {name: percent for name, percent in walked.items() if percent < PERCENT_MIN} == {}


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """As a run of its own, whatever the run that we are part of was told."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=600, check=False)
