"""`adapter new` in a copy of the checkout: what it makes passes the checks, the laws of all adapters, and its own test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COPIED = ("device_adapters", "gateway", "rules", "tests/captures", "tests/support", "tests/unit/device_adapters", "docs")
WITHOUT = shutil.ignore_patterns("__pycache__", "static", "locale", "*.png", "adr")
TOOLS = Path(sys.executable).parent


# The bridge takes it on a line, and the bench finds its frames in bytes that came in pieces; nothing else had to be told of it.
ON_A_LINE = """
from pathlib import Path
from gateway.config.bridge import load_bridge_file
from gateway.field.adapter_talks import listener
Path("b.yaml").write_text('{site: a, name: b, lines: [{adapter: acme-infuso2, tcp: "h:1", pump: c}]}')
load_bridge_file(Path("b.yaml"))
frame = bytes.fromhex(Path("tests/captures/acme_infuso2/delivering/frame.hex").read_text())
talk = listener("acme-infuso2")
assert [piece.body for at in range(14) for piece in talk.receive(frame[at:at + 1], 0)] == [frame]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of as much of the tree as an adapter touches."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / "copy" / name, ignore=WITHOUT)
    for name in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / "copy" / name)
    return tmp_path / "copy"


def passes(command: list[str], folder: Path) -> None:
    """The command ends with 0; else its output is the failure."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]


def test_what_it_makes_passes(run, checkout: Path):
    """Lint, format, types, import rules; captures and laws for the new adapter; its own test; the docs' table."""
    made = run("adapter", "new", "acme_infuso2", "--into", checkout)
    assert made.exit_code == 0, made.stderr
    assert "acme-infuso2" in (checkout / "docs" / "supported-pumps.md").read_text()
    changed = ["device_adapters", "tests/unit/device_adapters/test_acme_infuso2.py"]
    passes([str(TOOLS / "ruff"), "check", "--no-cache", *changed], checkout)
    passes([str(TOOLS / "ruff"), "format", "--no-cache", "--check", *changed], checkout)
    passes([str(TOOLS / "mypy"), "--cache-dir", str(checkout / ".mypy"), "-p", "device_adapters"], checkout)
    passes([str(TOOLS / "lint-imports"), "--no-cache"], checkout)
    tests = ["tests/unit/device_adapters", "-k", "acme or page_says or every_adapter", "-p", "no:cacheprovider"]
    passes([sys.executable, "-m", "pytest", "-q", *tests], checkout)
    passes([sys.executable, "-c", ON_A_LINE], checkout)


def test_nothing_is_written_over(run, checkout: Path):
    """A name that is taken, and a registry that is not as expected: told in one line, and nothing has changed."""
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    (checkout / "tests" / "captures" / "acme_one").mkdir()
    assert "is there already" in run("adapter", "new", "acme_one", "--into", checkout).stderr
    assert "is there already" in run("adapter", "new", "bbraun_bcc", "--into", checkout).stderr
    registry = checkout / "device_adapters" / "registry.py"
    registry.write_text(registry.read_text().replace("RelayAndScale()", "RelayAndScale( )"))
    found = run("adapter", "new", "acme_two", "--into", checkout)
    assert (found.exit_code, "beside which the new one would stand" in found.stderr) == (2, True)
    registry.write_bytes(before[registry])
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before
