"""Frames cut out of a stream by an adapter's own `cut`: whatever the pieces, whatever stands between, whatever goes wrong."""

from hypothesis import given
from hypothesis import strategies as st

from device_adapters.cutting import GARBAGE_BYTES_MAX, REST_BYTES_MAX, Part, Stream
from device_adapters.template import Template
from gateway.bridge.conversation import Frames, Heard
from tests.support.adapter_frames import captures

GOOD = captures("template")["delivering"]
NOISE = st.binary(max_size=40).filter(lambda noise: not noise.count(GOOD))


@given(st.lists(NOISE, min_size=1, max_size=6), st.integers(1, 60))
def test_frames_come_out_whatever_stands_between_and_however_they_come(noises: list[bytes], size: int):
    """In order, each once; what was none comes out too, in the same parts, and nothing is lost."""
    data = GOOD.join(noises)
    whole, pieces = Stream(Template()), Stream(Template())
    at_once = [*whole.feed(data), *whole.finish()]
    slowly = [part for at in range(0, len(data), size) for part in pieces.feed(data[at : at + size])]
    assert [*slowly, *pieces.finish()] == at_once
    assert b"".join(part.body for part in at_once) == data
    assert [part.body for part in at_once if part.is_frame] == [GOOD] * (len(noises) - 1)


def test_garbage_without_an_end_is_handed_out_in_parts():
    """Memory stays bounded, also where every byte could begin a frame; behind it the next frame is read."""
    for byte in (b"\x00", GOOD[:1]):
        stream = Stream(Template())
        parts = [part for _ in range(100) for part in stream.feed(byte * 997)]
        assert {(len(part.body), part.is_frame) for part in parts} == {(GARBAGE_BYTES_MAX, False)}
        assert len(stream._rest) <= GARBAGE_BYTES_MAX + len(GOOD)
        assert stream.feed(GOOD)[-1] == Part(GOOD)


class Hoarding:
    """A `cut` that never hands out anything."""

    def cut(self, data: bytes) -> tuple[list[Part], bytes]:
        """Nothing is whole."""
        return [], data


class Failing:
    """A `cut` with a bug."""

    def cut(self, data: bytes) -> tuple[list[Part], bytes]:
        """Fail."""
        raise ValueError(data.hex())


def test_a_bad_cut_harms_nobody():
    """What it holds back for ever is given up, what it fails on is no frame; neither raises."""
    hoarding, failing = Stream(Hoarding()), Stream(Failing())
    parts = [part for _ in range(70) for part in hoarding.feed(bytes(1_024))]
    assert [(len(part.body), part.is_frame) for part in parts] == [(REST_BYTES_MAX + 1_024, False)]
    assert failing.feed(b"abc") == [Part(b"abc", is_frame=False)]
    assert failing.finish() == []


def test_a_bridge_sends_frames_and_counts_the_rest():
    """`Frames` on a line: frames alone go on."""
    talk = Frames(Template())
    assert talk.receive(b"noise" + GOOD + GOOD[:7], 0) == [Heard(GOOD)]
    assert talk.receive(GOOD[7:], 1) == [Heard(GOOD)]
    assert (talk.garbled, talk.due_at, talk.say(2)) == (1, None, (b"", []))
