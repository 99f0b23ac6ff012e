"""The real messages of a folder outside the project, where one is given by $DRIPWATCH_SAMPLES."""

import os
from pathlib import Path

import pytest

from device_adapters.bcc_framing import Frame, frames_in
from device_adapters.registry import decode
from gateway.domain.readings import AlarmChange, Decoded, Observation, PumpEvent, Refusal
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, PumpEventKind

FOLDER = os.environ.get("DRIPWATCH_SAMPLES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="DRIPWATCH_SAMPLES names no folder: the real messages are not tried")


def given(name: str) -> Decoded:
    """What the adapter makes of a file of the folder."""
    return decode("raw/ihe-pcd", (Path(FOLDER) / name).read_bytes())


def test_occlusion_start():
    """The framework's own alarm, errata and all: a pump occlusion, phase start, at the time of its order."""
    decoded = given("ihe_pcd04_occlusion_start.hl7")
    assert not decoded.refused
    (alarm,) = decoded.readings
    assert isinstance(alarm, AlarmChange)
    assert (alarm.condition, alarm.phase, alarm.priority) == (Condition.OCCLUSION, AlarmPhase.START, None)
    assert alarm.observed_at == 1_326_153_257_000  # 2012-01-09T17:54:17-06:00
    assert alarm.stops_delivery is None


def test_delivery_start():
    """The supplement's event with its pending codes: delivery started at 15.4 mL/h."""
    decoded = given("ihe_pcd10_delivery_start_2015.hl7")
    assert not decoded.refused
    event, observation = decoded.readings
    assert isinstance(event, PumpEvent)
    assert (event.event, event.rate_ml_h, event.transitioning) == (PumpEventKind.DELIVERY_STARTED, 15.4, False)
    assert event.observed_at == 1_444_933_266_000  # 2015-10-15T13:21:06-05:00
    assert isinstance(observation, Observation)
    assert observation.delivery_status is DeliveryStatus.DELIVERING
    assert (observation.rate_ml_h, observation.set_rate_ml_h) == (15.4, 15.4)
    assert (observation.infused_ml, observation.remaining_ml) == (0.0, 250.0)


def test_a_monitor_is_refused_by_name():
    """A blood pressure monitor is no pump, and nothing of it is half decoded."""
    decoded = given("ihe_pcd01_monitor_not_a_pump.hl7")
    assert not decoded.readings
    assert [refused.reason for refused in decoded.refused] == [Refusal.NOT_A_PUMP]


@pytest.mark.parametrize("name", ["ihe_pcd04_occlusion_start.hl7", "ihe_pcd10_delivery_start_2015.hl7"])
def test_no_name_comes_out(name: str):
    """The patient's segments and the drug stay inside."""
    said = repr(given(name)).lower()
    assert not any(word in said for word in ("hon'", "hon ", "amy", "coburn", "charles", "brooks", "dopamine"))


def test_bcc_frames_of_a_published_session():
    """Length and check of each frame are right; they are questions, and answers of the ComDevice about itself."""
    lines = (Path(FOLDER) / "bcc_short_frames.hex").read_text().split()
    assert len(lines) == 6
    for line in lines:
        (frame,) = frames_in(bytes.fromhex(line))
        assert isinstance(frame, Frame)
        assert frame.bed in (b"1", b"SpaceCOM")
        (refused,) = decode("raw/bbraun-bcc", bytes.fromhex(line), received_at=1_772_409_600_000).refused
        is_question = frame.information.startswith((b"ADMIN:", b"MEM:"))
        assert refused.reason is (Refusal.UNKNOWN_MESSAGE if is_question else Refusal.NO_MEASURE)
