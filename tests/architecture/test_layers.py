"""What the layers of import-linter (pyproject.toml) cannot say: who constructs, who sees what, who stays apart."""

import subprocess
import sys

import pytest

from tests.support.source_tree import ROOT, imported, sources

# Shared by adapters; everything else in device_adapters belongs to one adapter or tells of all of them.
MEET_ALL_ADAPTERS = ("device_adapters/registry.py",)

# Concrete outside things are put together here, and used by one another; the bridge is a program of its own.
MAY_IMPORT_OUTSIDE = ("gateway/app", "gateway/bridge/", "gateway/outside/", "gateway/field/", "gateway/__main__.py")


def test_only_the_composition_root_knows_concrete_things() -> None:
    """Console, scenarios and core work on Protocols: another broker, journal or clock is a change in one place."""
    found = [
        f"{source.path}:{line} {name}"
        for source in sources("gateway")
        if not source.path.startswith(MAY_IMPORT_OUTSIDE)
        for line, name in imported(source)
        if name.startswith("gateway.outside.")
    ]
    assert not found, found


def test_the_console_sees_the_board_and_never_the_monitor() -> None:
    """What people look at is frozen: nothing that shows may change what decides."""
    found = [
        f"{source.path}:{line} {name}"
        for source in sources("gateway/console")
        for line, name in imported(source)
        if name.startswith(("gateway.core.monitor", "gateway.core.state"))
    ]
    assert not found, found


def test_adapters_do_not_know_one_another() -> None:
    """A module that declares an adapter (it has a `decode` of payloads) imports no other such module."""
    declaring = {
        source.path.removesuffix(".py").replace("/", ".")
        for source in sources("device_adapters")
        if "def decode(self, payload: bytes" in source.text and not source.path.endswith("/contract.py")
    }
    found = [
        f"{source.path}:{line} {name}"
        for source in sources("device_adapters")
        if source.path not in MEET_ALL_ADAPTERS
        for line, name in imported(source)
        if any(name == other or name.startswith(f"{other}.") for other in declaring)
        and source.path.removesuffix(".py").replace("/", ".") in declaring
    ]
    assert declaring
    assert not found, found


IMPORT_ALL_OF_IT = """
import importlib, pkgutil, sys
top = importlib.import_module(sys.argv[1])
for below in pkgutil.walk_packages(getattr(top, "__path__", []), sys.argv[1] + "."):
    importlib.import_module(below.name)
print(*sorted(set(sys.argv[2:]) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("gateway.core", ["aiomqtt", "apprise", "fastapi", "influxdb_client", "gateway.outside", "gateway.runtime"]),
        ("gateway.app", ["apprise", "fastapi", "influxdb_client", "uvicorn", "gateway.console"]),
    ],
)
def test_importing_one_part_does_not_load_the_others(module: str, foreign: list[str]) -> None:
    """The core runs without any of the world, and naming the composition root loads nothing that is not used."""
    command = [sys.executable, "-c", IMPORT_ALL_OF_IT, module, *foreign]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.stdout, told.stderr) == ("\n", "")
