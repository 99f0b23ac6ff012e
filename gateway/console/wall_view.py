"""The board on a wall: everything at once where it fits, alarms first and large; else sheets that take turns.

A sheet is a grid of 36 columns and a few lines. How large things are follows from how many they are: the largest density of which
one sheet holds everything, else the smallest, on as many sheets as it takes. Each sheet shows counts, clock and banners.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console.board_view import Row, Tile, View

TILES_ON_THE_WALL_MAX = 40  # beyond that they stand in their rows: then the ward has other troubles than its wall


@dataclass(frozen=True, slots=True)
class Density:
    """`lines` to a sheet; `calm` courses a line; `troubled` ones beside one another, `high` lines each."""

    name: str
    lines: int
    calm: int
    troubled: int
    high: int


DENSITIES = (
    Density("handful", lines=4, calm=3, troubled=3, high=2),
    Density("few", lines=6, calm=4, troubled=3, high=3),
    Density("some", lines=8, calm=6, troubled=4, high=3),
    Density("many", lines=10, calm=9, troubled=4, high=3),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown at once."""

    tiles: tuple[Tile, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Wall:
    """All sheets, in the density that they share."""

    density: Density
    sheets: tuple[Sheet, ...]


def wall_of(view: View) -> Wall:
    """The board spread over sheets; there is always one."""
    for density in DENSITIES:
        sheets = _sheets(view.tiles, view.rows, density)
        if len(sheets) == 1:
            return Wall(density, sheets)
    return Wall(DENSITIES[-1], _sheets(view.tiles, view.rows, DENSITIES[-1]))


def _sheets(tiles: Sequence[Tile], rows: Sequence[Row], density: Density) -> tuple[Sheet, ...]:
    found: list[Sheet] = []
    at_once = density.lines // density.high * density.troubled
    while tiles or rows or not found:
        now, tiles = tiles[:at_once], tiles[at_once:]
        lines_left = density.lines - density.high * -(-len(now) // density.troubled)
        calm, rows = rows[: lines_left * density.calm], rows[lines_left * density.calm :]
        found.append(Sheet(tuple(now), tuple(calm)))
    return tuple(found)
