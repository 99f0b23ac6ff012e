"""What a bridge tells of itself: read where it can be, and never at the cost of the word that it is there."""

import json

import pytest

from device_adapters.bridge_health import FINDING_CHARS_MAX, FINDINGS_MAX, bridge_health
from device_adapters.registry import decode
from gateway.domain.readings import BridgeHealth, LinkStatus


def test_what_a_bridge_tells_is_read():
    """Facts and lists; what it does not tell is not known, and what we do not know is left alone."""
    told = {"waiting": 3, "silent": ["pump-01"], "findings": ["hot: open the case"], "under_voltage": False, "colour": "blue"}
    (status,) = decode("status", json.dumps({"online": True, "bridge": told}).encode()).readings
    health = BridgeHealth(findings=("hot: open the case",), silent=("pump-01",), waiting=3, under_voltage=False)
    assert status == LinkStatus(observed_at=0, online=True, bridge=health)


@pytest.mark.parametrize("rubbish", ["text", [], 3, {"waiting": -1}, {"findings": "one"}, {"temperature_c": "hot"}])
def test_rubbish_costs_the_health_and_not_the_status(rubbish: object):
    """The bridge is there, whatever it says of its temperature."""
    (status,) = decode("status", json.dumps({"online": True, "bridge": rubbish}).encode()).readings
    assert status == LinkStatus(observed_at=0, online=True)


def test_findings_are_bounded_and_plain():
    """A device's text must not fill the board or steer a terminal."""
    health = bridge_health({"findings": ["\x1b[2J" + "x" * 999] * 50 + [""], "unknown": 1})
    assert health is not None
    assert len(health.findings) == FINDINGS_MAX
    assert all(len(text) <= FINDING_CHARS_MAX and text.isprintable() for text in health.findings)
