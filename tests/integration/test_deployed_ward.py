"""The deployment as it is shipped, started for real: broker, store, gateway and watchdog from the very files that compose mounts.

Changed are ports, folders, and where pages go; and one rule calls at once, so that nobody waits for its hold.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway.config.load import load_ward_file
from gateway.field.broker_probe import probe
from rules.yaml_lines import load
from tests.support.doors import ROOT, SITE, Doors, client_context, doors
from tests.support.gateway_process import GatewayProcess, gateway, until
from tests.support.process import binary, free_port, free_ports, stop, wait_listening
from tests.support.stores import Influxd
from tests.support.web_hook import WebHook, web_hook

pytestmark = pytest.mark.servers

DEPLOY = ROOT / "deploy"


@dataclass(frozen=True, slots=True)
class Deployed:
    """All of it."""

    doors: Doors
    gateway: GatewayProcess
    store: Influxd
    hook: WebHook


@contextlib.contextmanager
def store(folder: Path) -> Iterator[Influxd]:
    """InfluxDB with the shipped configuration, and its database as the shipped setup makes it."""
    folder.mkdir()
    port, rpc_port = free_ports(2)
    text = (DEPLOY / "influx/influxdb.conf").read_text()
    swaps = {"/var/lib/influxdb": str(folder), '":8086"': f'"127.0.0.1:{port}"', "127.0.0.1:8088": f"127.0.0.1:{rpc_port}"}
    for old, new in swaps.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "influxdb.conf").write_text(text)
    with (folder / "influxd.log").open("ab") as log:
        process = subprocess.Popen([binary("influxd"), "-config", str(folder / "influxdb.conf")], stdout=log, stderr=log)
    try:
        wait_listening(port, process)
        found = Influxd(folder, port=port)
        found.query((DEPLOY / "influx/setup.influxql").read_text().strip())
        yield found
    finally:
        stop(process)


def shipped_file(name: str, made: Doors, who: str, **parts: Any) -> dict[str, Any]:
    """A file that compose mounts, with the broker and the secrets of this test; `parts` go over it."""
    file: dict[str, Any] = dict(load((DEPLOY / "compose" / name).read_text(), name).value)
    secrets = made.folder / who / "secrets"
    assert file["mqtt"]["port"] == 8885
    files = {"ca": "ca.crt", "cert": "device.crt", "key": "device.key"}
    assert file["mqtt"]["tls"] == {key: f"/run/secrets/{who}-{key}" for key in files}
    file["mqtt"] |= {
        "host": "127.0.0.1",
        "port": made.ports["house"],
        "tls": {key: str(secrets / name) for key, name in files.items()},
    }
    return file | parts


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The whole ward; pump-01 is let in by certificate, and serves P-017."""
    folder = tmp_path_factory.mktemp("deployed")
    with doors(folder / "doors") as made, store(folder / "influxdb") as influx, web_hook() as hook:
        made.add("pump-01")
        made.add("watchdog", "--as", "watchdog")
        made.restart()
        pages = {"hook": {"kind": "apprise", "url": f"json://127.0.0.1:{hook.port}/{{address}}"}}
        ward = shipped_file("ward.yaml", made, "gateway", transports=pages)
        ward["people"] = {name: {"contacts": [{"hook": name}]} for name in ward["people"]}
        ward["influx"]["url"] = influx.url
        ward["console"]["listen"] = f"127.0.0.1:{free_port()}"
        ward["journal"]["path"] = "data/dripwatch.db"
        ward["rules"]["alarm-persistent"] = {"hold": "0s"}
        with gateway(folder / "gateway", ward) as running, watchdog(folder, made, running, pages):
            running.enrol("P-017", "pump-01")
            yield Deployed(made, running, influx, hook)


@contextlib.contextmanager
def watchdog(folder: Path, made: Doors, running: GatewayProcess, pages: dict[str, Any]) -> Iterator[None]:
    """The watchdog's process."""
    file = shipped_file(
        "watchdog.yaml", made, "watchdog", transports=pages, people={"operator": {"contacts": [{"hook": "operator"}]}}
    )
    file["gateway"] = {"url": running.url, "token_file": str(running.token_file)}
    (folder / "watchdog.yaml").write_text(json.dumps(file))
    with (folder / "watchdog.log").open("ab") as log:
        command = [sys.executable, "-m", "gateway", "watchdog", "--config", str(folder / "watchdog.yaml")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        stop(process)


@contextlib.asynccontextmanager
async def connected(deployed: Deployed, name: str, door: str):
    """A client with these credentials, and an id of its own."""
    context = client_context(deployed.doors.folder / name)
    port = deployed.doors.ports[door]
    async with aiomqtt.Client("127.0.0.1", port, identifier=f"looks-{name}", tls_context=context) as client:
        yield client


async def test_an_alarm_of_a_provisioned_pump_pages_the_nurse(deployed: Deployed):
    """Over TLS, with the bundle's certificate; the page goes out, and the store has the alarm."""
    alarm = {"observed_at": "2026-03-02T08:00:00+08:00", "alarm": "air-in-line", "phase": "start", "clock": "free"}
    async with connected(deployed, "pump-01", "devices") as pump:
        await pump.publish(f"dw/v1/{SITE}/pump-01/alarm", json.dumps(alarm).encode(), qos=1)
    until(lambda: deployed.hook.calls, "somebody is paged")
    who, page = deployed.hook.calls[0]
    assert who in ("nurse-a", "nurse-b")
    assert "P-017" in json.dumps(page)
    until(lambda: deployed.store.count("dripwatch", "pump_alarm", "active"), "the alarm is in the store")
    kept = deployed.store.query("SHOW RETENTION POLICIES", "dripwatch")[0]["values"]
    assert [(name, length) for name, length, *_ in kept] == [("two_years", "17472h0m0s")]


async def test_gateway_and_watchdog_hear_each_other(deployed: Deployed):
    """Both heartbeats pass the broker's rules."""
    for name, topic, told in (
        ("gateway", f"dw/v1/{SITE}/watchdog/status", "online"),
        ("watchdog", f"dwack/{SITE}/gateway", "ready"),
    ):
        async with connected(deployed, name, "house") as client:
            await client.subscribe(topic, qos=1)
            async for message in client.messages:
                if json.loads(message.payload).get(told) is True:
                    break


def test_the_doctor_comes_in_beside_the_gateway(deployed: Deployed):
    """It connects with the gateway's own certificate, and does not end the gateway's session."""
    assert probe(load_ward_file(deployed.gateway.ward_file).mqtt) == ""
    assert deployed.gateway.is_ready()
