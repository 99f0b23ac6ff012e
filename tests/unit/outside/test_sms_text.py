"""GSM-7, UCS-2, parts, numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outside.sms_text import coded, from_gsm7, is_gsm7, phone_number, with_headings


@pytest.mark.parametrize(
    ("text", "gsm7", "parts"),
    [
        ("", True, 1),
        ("A" * 160, True, 1),
        ("A" * 161, True, 2),
        ("A" * 306, True, 2),
        ("A" * 307, True, 3),
        ("€" * 80, True, 1),  # two septets each
        ("€" * 81, True, 2),
        ("⚠" + "A" * 69, False, 1),  # one character outside the alphabet costs the whole text its room
        ("⚠" + "A" * 70, False, 2),
        ("😀" * 35, False, 1),
        ("😀" * 36, False, 2),
    ],
)
def test_the_number_of_parts(text, gsm7, parts):
    """As telephones count: 160 or 153 septets, 70 or 67 UCS-2 units."""
    message = coded(text)
    assert (message.gsm7, len(message.parts)) == (gsm7, parts)


@given(st.text(alphabet="Aé€[]\n@_", max_size=700))
def test_gsm7_comes_back_part_by_part(text):
    """No part ends inside an escape: each can be read by itself."""
    message = coded(text)
    assert message.gsm7
    assert "".join(from_gsm7(part) for part in message.parts) == text
    assert all(len(part) <= 160 for part in message.parts)


@given(st.text(alphabet="⚠輸A😀", min_size=1, max_size=300).filter(lambda text: not is_gsm7(text)))
def test_ucs2_comes_back_part_by_part(text):
    """No part ends between the halves of an emoji."""
    message = coded(text)
    assert not message.gsm7
    assert "".join(part.decode("utf-16-be") for part in message.parts) == text
    assert all(len(part) <= 140 for part in message.parts)


def test_parts_say_which_they_are():
    """Six bytes: length, kind, its length, reference, how many, which."""
    assert with_headings((b"ab", b"c"), 0x1FE) == [b"\x05\x00\x03\xfe\x02\x01ab", b"\x05\x00\x03\xfe\x02\x02c"]
    assert with_headings((b"ab",), 7) == [b"ab"]


def test_a_text_without_end_is_cut_at_what_can_be_counted():
    """255 parts: more a telephone cannot put together."""
    assert len(coded("A" * 100_000).parts) == 255


def test_septets_without_meaning_are_marked():
    """A byte above the alphabet, and an escape into nothing."""
    assert from_gsm7(b"a\x80\x1b\x00\x1b\x65") == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}€"


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("85290000001", "85290000001"),
        ("+852 9000-0001", "+85290000001"),
        ("(852) 9000.0001", "85290000001"),
        ("0085290000001", "0085290000001"),
        ("13", None),
        ("", None),
        ("nurse", None),
        ("85290000001,85290000002", None),
        ("85290000001;DROP", None),
        ("852\r\nX-Kannel-To: 1", None),
        ("+" + "1" * 21, None),
        ("\uff1852900000001", None),
    ],
)
def test_an_address_is_one_number_or_none(address, number):
    """Kannel would send to each of a list; nothing but digits reaches a header or a packet."""
    assert phone_number(address) == number
