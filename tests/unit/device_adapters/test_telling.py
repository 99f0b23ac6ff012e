"""What the technician's check looks for is what the adapters can tell, no more and no less."""

import dataclasses

import pytest

from device_adapters.telling import AT_LEAST, TELLS, tells
from gateway.domain.readings import AlarmChange, Observation
from tests.support.adapter_frames import captures, told
from tests.support.bcc_encoder import ALARM_BITS, answer, pump_items

STAMPS = {"observed_at", "boot", "seq", "clock", "beside", "not_delivering_reason"}


@pytest.mark.parametrize("adapter", sorted(TELLS))
def test_the_table_is_what_the_adapter_tells(adapter: str):
    """Over all captures, and for BCC all its alarm bits: each measure and condition of the table is told, and no other."""
    found = [item for name, payload in captures(adapter).items() for item in told(adapter, name, payload).readings]
    if adapter == "bbraun-bcc":
        found += told(adapter, "", answer(pump_items(alarms=ALARM_BITS))).readings
    measures = {
        field.name
        for item in found
        if isinstance(item, Observation)
        for field in dataclasses.fields(item)
        if getattr(item, field.name) is not None
    }
    assert measures - STAMPS == tells(adapter).measures
    assert {item.condition for item in found if isinstance(item, AlarmChange)} == tells(adapter).conditions


def test_of_an_unknown_family_the_least_is_looked_for():
    """Whether it delivers, and how much."""
    assert tells("no-such") is AT_LEAST
