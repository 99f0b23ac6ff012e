"""What one text message holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.gsm7 import fits, room_taken
from gateway.outside.sms_text import coded


@pytest.mark.parametrize(
    ("text", "taken", "room"),
    [
        ("", 0, 160),
        ("A" * 161, 161, 160),
        ("€[]", 6, 160),  # two septets each
        ("⚠" + "A" * 69, 70, 70),
        ("😀" * 36, 72, 70),
        ("輸液泵", 3, 70),
        ("\x1b", 1, 70),  # the escape itself is no character
    ],
)
def test_how_much_of_a_message_a_text_takes(text, taken, room):
    """One character outside the alphabet costs the whole text its room."""
    assert room_taken(text) == (taken, room)


@given(st.text(alphabet="Aé€[]\n@_輸😀", min_size=0, max_size=200))
def test_what_fits_goes_out_in_one_part(text):
    """The core's measure is the transports' own."""
    assert fits(text) is (len(coded(text).parts) == 1)
