"""How bytes become frames: lines of text in any pieces, and a rack that is asked by its rules."""

from hypothesis import given
from hypothesis import strategies as st

from device_adapters.bbraun_bcc import BbraunBcc
from device_adapters.envelope import Sent
from gateway.bridge.conversation import LINE_BYTES_MAX, BccTalk, Heard, TextLines
from gateway.domain.readings import Observation
from gateway.scenario.serial_pumps.bcc import Rack, SpacePump
from tests.support.bridge_parts import AT


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8), st.integers(1, 7))
def test_pieces_make_no_difference(parts: list[bytes], size: int):
    """A byte at a time or all at once gives the same lines."""
    data = b"\n".join(parts) + b"\n"
    whole, pieces = TextLines(), TextLines()
    at_once = whole.receive(data, 0)
    assert [heard for i in range(0, len(data), size) for heard in pieces.receive(data[i : i + size], 0)] == at_once
    assert [heard.body for heard in at_once] == [line.strip() for line in data.split(b"\n") if line.strip()]


def test_a_line_without_an_end_is_dropped_up_to_its_end():
    """Memory is bounded, it is counted, and the next line is read."""
    lines = TextLines()
    for _ in range(100):
        assert lines.receive(b"x" * LINE_BYTES_MAX, 0) == []
        assert len(lines._held) <= LINE_BYTES_MAX
    assert lines.receive(b"rest\n{}\n", 0) == [Heard(b"{}")]
    assert lines.garbled == 1
    assert lines.say(0) == (b"", [])
    assert lines.due_at is None


def test_a_rack_of_two_pumps_is_asked_slot_by_slot():
    """Each answer is of its slot, and the gateway's adapter reads it as the pump was."""
    rack = Rack({"11": SpacePump(rate_ml_h=0.6), "12": SpacePump(rate_ml_h=10.0, pumping=False)}, started_at=0)
    talk = BccTalk(("11", "12"), 1_000, 0)
    heard: list[Heard] = []
    at = 0
    while len(heard) < 4:
        said, _ = talk.say(at)
        heard += talk.receive(rack.receive(said, at), at) if said else []
        at = max(at + 1, talk.due_at or 0)
    assert [one.slot for one in heard] == ["11", "12", "11", "12"]
    assert at < 5_000
    readings = [BbraunBcc().decode(one.body, Sent(AT, slot=one.slot)).readings[0] for one in heard[:2]]
    assert [(r.rate_ml_h, r.set_rate_ml_h) for r in readings if isinstance(r, Observation)] == [(0.6, 0.6), (None, 10.0)]


def test_a_line_that_says_nothing_is_counted_as_garbled_only_when_it_speaks():
    """Silence is not noise."""
    talk = BccTalk((), 1_000, 0)
    talk.say(0)
    talk.say(6_000)
    assert talk.garbled == 0
    talk.receive(b"\xffnoise\x01", 6_100)
    assert talk.garbled == 1
