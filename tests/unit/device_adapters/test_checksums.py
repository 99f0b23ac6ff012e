"""Checksums against their published check values."""

from device_adapters.checksums import crc16_ccitt_false, sum_mod_256


def test_published_check_values():
    """The nine digits have a known checksum in every catalogue."""
    assert crc16_ccitt_false(b"123456789") == 0x29B1
    assert sum_mod_256(b"123456789") == 0xDD


def test_nothing_at_all():
    """An empty frame has the start value."""
    assert crc16_ccitt_false(b"") == 0xFFFF
    assert sum_mod_256(b"") == 0
