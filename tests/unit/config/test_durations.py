import pytest

from gateway.config.durations import parse_duration, parse_size

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [
        ("0s", 0),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", HOUR_MS * 3 // 2),
        ("2d", 48 * HOUR_MS),
        ("1w", 168 * HOUR_MS),
        ("1w2d3h4m5s", 168 * HOUR_MS + 51 * HOUR_MS + 245_000),
        ("3650d", 3650 * 24 * HOUR_MS),
    ],
)
def test_lengths_of_time_are_read_in_milliseconds(text, length_ms):
    """Every unit, and their combinations."""
    assert parse_duration(text) == length_ms


@pytest.mark.parametrize(
    "text", ["", "5", "m", "1.5h", "-5m", "5 m", "30m1h", "5m5m", "5min", "1H", "٣m", 5, 0, None, True, ["5m"]]
)
def test_what_is_no_length_of_time_is_refused_with_the_mend(text):
    """A bare number has no unit, and smaller units follow larger ones."""
    with pytest.raises(ValueError, match="write it like 90s, 5m, 1h30m, 2d or 1w"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3651d", "999999999w"])
def test_nothing_lasts_longer_than_ten_years(text):
    """A slip of the finger is not a century without pages."""
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("20GiB", 20 * 1024**3),
        ("500 MiB", 500 * 1024**2),
        ("1KiB", 1024),
        ("1TiB", 1024**4),
        ("20GB", 20 * 10**9),
        ("7B", 7),
        (4096, 4096),
    ],
)
def test_sizes_are_read_in_bytes(text, size_bytes):
    """Units of 1024 and of 1000; a bare number is bytes."""
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "20", "20G", "1.5GiB", "-1", -1, None, True, "GiB"])
def test_what_is_no_size_is_refused_with_the_mend(text):
    """Text needs a unit."""
    with pytest.raises(ValueError, match="write it like 500MiB or 20GiB"):
        parse_size(text)
