"""What the bridge says of itself, and what the gateway reads of it."""

import socket
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from device_adapters.registry import decode
from gateway.bridge.health import clock_findings, machine_findings, status_body
from gateway.bridge.machine import Machine, look_at_machine
from gateway.core.state import Pump
from gateway.domain.readings import BridgeHealth, LinkStatus
from gateway.domain.words import ClockQuality
from gateway.outside.kernel_clock import follows_reference, kernel_id, uptime_ms
from gateway.outside.systemd import ALIVE, tell_systemd
from tests.support.bridge_parts import AT, seen

WELL = Machine(temperature_c=48.2, under_voltage=False, disk_free_mib=20_000)


def test_the_gateway_reads_what_the_bridge_says():
    """There and back: facts, findings, clock; what is absent stays absent."""
    body = status_body(seen(clock=ClockQuality.FREE), {"waiting": 3, "silent": ["pump-01"], "dropped": None}, WELL, ["hot: x"])
    (status,) = decode("status", body).readings
    assert isinstance(status, LinkStatus)
    assert (status.online, status.observed_at, status.clock) == (True, AT, ClockQuality.FREE)
    assert status.bridge == BridgeHealth(
        findings=("hot: x",),
        silent=("pump-01",),
        waiting=3,
        temperature_c=48.2,
        under_voltage=False,
        disk_free_mib=20_000,
    )


def test_the_health_is_in_the_snapshot():
    """A gateway that starts again shows what it showed before."""
    pump = Pump("ward", "bridge-01", online=True, bridge=BridgeHealth(findings=("hot: x",), waiting=3, under_voltage=True))
    kept = TypeAdapter(Pump)
    assert kept.validate_json(kept.dump_json(pump)) == pump


def test_the_machine_is_read_where_it_tells(tmp_path: Path):
    """Temperature, weak supply and disk as a Raspberry Pi shows them; another machine shows less."""
    hwmon = tmp_path / "hwmon" / "hwmon1"
    hwmon.mkdir(parents=True)
    (hwmon / "name").write_text("rpi_volt\n")
    (hwmon / "in0_lcrit_alarm").write_text("1\n")
    (tmp_path / "thermal" / "thermal_zone0").mkdir(parents=True)
    (tmp_path / "thermal" / "thermal_zone0" / "temp").write_text("83712\n")
    machine = look_at_machine(tmp_path, tmp_path)
    assert (machine.temperature_c, machine.under_voltage) == (83.7, True)
    assert machine.disk_free_mib is not None
    assert [item.partition(":")[0] for item in machine_findings(machine)][:2] == ["under-voltage", "hot"]
    (hwmon / "in0_lcrit_alarm").write_text("rubbish")
    other = look_at_machine(tmp_path / "nowhere", tmp_path / "nowhere")
    assert other == Machine(temperature_c=None, under_voltage=None, disk_free_mib=None)
    assert look_at_machine(tmp_path, tmp_path).under_voltage is None
    assert machine_findings(other) == []
    assert machine_findings(Machine(temperature_c=None, under_voltage=None, disk_free_mib=3))


def test_a_free_clock_is_a_finding():
    """With its mend; a good one is none."""
    assert clock_findings(ClockQuality.SYNCED, 0) == []
    assert "NTP" in clock_findings(ClockQuality.FREE, None)[0]
    assert "7 days" in clock_findings(ClockQuality.FREE, 10**9)[0]


def test_the_kernel_tells_of_its_clock():
    """This machine's, whatever it says: a count that rises, a name that stays, a yes or a no."""
    assert 0 < uptime_ms() <= uptime_ms()
    assert kernel_id() == kernel_id() != ""
    assert follows_reference() in (True, False)


def test_systemd_is_told_on_its_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One datagram; without a socket, or with one that is gone, nothing happens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_systemd(ALIVE)
        assert manager.recv(100) == b"WATCHDOG=1"
    for address in ("", "rubbish", str(tmp_path / "gone")):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        tell_systemd(ALIVE)
