"""Ways to damage a closed SQLite file as disks do: a flipped byte, a ruined page, rows that a page no longer admits to."""

from pathlib import Path

PAGE_BYTES = 4_096


def flip_byte_of(file: Path, content: bytes) -> None:
    """Flip one bit in the middle of the only place that holds `content`."""
    where = _only_place_of(file, content) + len(content) // 2
    _overwrite(file, where, bytes([file.read_bytes()[where] ^ 1]))


def ruin_page_of(file: Path, content: bytes) -> None:
    """Overwrite the header of the page that holds `content`: SQLite cannot read anything on it."""
    _overwrite(file, _page_start(file, content), b"\xff" * 64)


def hide_rows_on_page_of(file: Path, content: bytes, rows: int) -> None:
    """Lower the page's count of cells: its last rows vanish without any error."""
    count_at = _page_start(file, content) + 3  # b-tree page header: type (1), first free block (2), number of cells (2)
    count = int.from_bytes(file.read_bytes()[count_at : count_at + 2], "big")
    assert count > rows, "the page holds too few rows to hide some"
    _overwrite(file, count_at, (count - rows).to_bytes(2, "big"))


def _page_start(file: Path, content: bytes) -> int:
    return _only_place_of(file, content) // PAGE_BYTES * PAGE_BYTES


def _only_place_of(file: Path, content: bytes) -> int:
    held = file.read_bytes()
    assert held.count(content) == 1, f"{content!r} stands {held.count(content)} times in the file"
    return held.index(content)


def _overwrite(file: Path, at: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)
