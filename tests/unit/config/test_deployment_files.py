"""`deploy/compose.yaml` and its Dockerfile: what a hospital's IT asks for, read from the files; an engine is asked if any."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.yaml_lines import load

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MADE_BY_THE_OPERATOR = ("./broker/", "./secrets/")
TO_EVERYBODY = {"mosquitto"}  # its doors are TLS with credentials; all else is for a proxy on this machine


def mounts(service: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(source, target, read-only) of each."""
    found = [mount.split(":") for mount in service.get("volumes", ())]
    return [(parts[0], parts[1], parts[2:] == ["ro"]) for parts in found]


def test_the_ward_is_complete():
    """Broker, store, dashboards, gateway, watchdog; and the store's setup, which ends by itself."""
    assert set(SERVICES) == {"mosquitto", "influxdb", "influxdb-setup", "grafana", "gateway", "watchdog"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_nobody_and_may_become_nothing(name: str):
    """Not root, no capabilities, nothing to write but its volumes, limits on memory, processors and processes."""
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_and_is_watched(name: str):
    """Each is started again after a crash; each has a health check, or says why somebody else is it."""
    service = SERVICES[name]
    assert service["restart"] == ("on-failure" if name == "influxdb-setup" else "unless-stopped")
    check = service["healthcheck"]
    assert check == {"disable": True} if name in ("influxdb-setup", "watchdog") else check["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_a_version(name: str):
    """Of what is fetched and of what it is built from: three numbers, never `latest`."""
    service = SERVICES[name]
    dockerfile = service.get("build", {}).get("dockerfile_inline", "")
    images = [service["image"], *re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)]
    assert all(re.search(r":\d+\.\d+\.\d+$", image) for image in images), images


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there_and_cannot_be_changed(name: str):
    """Files of this folder are read-only; all else is a named volume, or a file that the operator makes."""
    for source, _, read_only in mounts(SERVICES[name]):
        if source.startswith("."):
            assert read_only, source
            assert source.startswith(MADE_BY_THE_OPERATOR) or (DEPLOY / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


def test_secrets_are_files_and_all_are_used():
    """No password stands in the environment; each secret is declared, and read by somebody."""
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert "PASSWORD" not in key or key.endswith("__FILE") or value == "", key


def test_only_the_broker_is_open_to_the_network():
    """Console and Grafana are for this machine's proxy; the store is for nobody outside, and reaches nobody."""
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert name in TO_EVERYBODY or port.startswith("127.0.0.1:"), port
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert SERVICES["influxdb"]["networks"] == ["store"]
    doors = re.findall(r"^listener (\d+)", (DEPLOY / "mosquitto/mosquitto.conf").read_text(), re.MULTILINE)
    assert [port.split(":") for port in SERVICES["mosquitto"]["ports"]] == [[door, door] for door in doors]


@pytest.mark.parametrize("name", ["ward.yaml", "watchdog.yaml"])
def test_the_files_name_services_and_secrets_that_are_there(name: str):
    """Hosts are services of the same network, secrets are mounted into that very service."""
    service = SERVICES["gateway" if name == "ward.yaml" else "watchdog"]
    text = (DEPLOY / "compose" / name).read_text()
    told = load(text, name).value
    assert set(re.findall(r"/run/secrets/([\w-]+)", text)) == set(service["secrets"])
    assert told["mqtt"]["host"] in SERVICES
    assert set(SERVICES[told["mqtt"]["host"]]["networks"]) & set(service["networks"])


def test_the_image_is_built_from_what_is_locked_and_runs_as_nobody():
    """Two stages, pinned; hashes required; a number as its user; nothing copied that is not there."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(stages) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-", stage) for stage in stages)
    assert "--require-hashes --requirement requirements-run.lock" in dockerfile
    last = dockerfile.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\d+):(\d+)$", last, re.MULTILINE) == [tuple(SERVICES["gateway"]["user"].split(":"))]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    assert set(sources) == allowed
    assert all((ROOT / source).exists() for source in sources)


def has_compose() -> bool:
    """Whether this machine has `docker compose`."""
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


if has_compose():

    def test_an_engine_reads_it():
        """Where there is one, it is asked."""
        command = ["docker", "compose", "--file", str(DEPLOY / "compose.yaml"), "config", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert set(json.loads(done.stdout)["services"]) == set(SERVICES)
