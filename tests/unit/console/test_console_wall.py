"""The wall: everything at once where it fits, in turns where it does not."""

import pytest

from gateway.console.board_view import Seen, view_of
from gateway.console.wall_view import DENSITIES, TILES_ON_THE_WALL_MAX, wall_of
from gateway.console.words import words_in
from gateway.domain.locale import Locale
from gateway.runtime.service import Health
from tests.support.fake_service import board, course, incident, interrupted


def wall(troubled: int, calm: int):
    """The wall of a ward with so many courses of each sort."""
    lines = [interrupted(f"P-{number:03}", incidents=(incident(f"P-{number:03}"),)) for number in range(troubled)]
    shown = board(*lines, *(course(f"Q-{number:03}") for number in range(calm))) if troubled + calm else board(courses=())
    return wall_of(view_of(Seen(shown, Health(ready=True, findings=(), numbers=())), words_in(Locale.EN), TILES_ON_THE_WALL_MAX))


@pytest.mark.parametrize(
    ("troubled", "calm", "density", "sheets"),
    [
        (0, 0, "handful", 1),
        (2, 4, "handful", 1),
        (3, 7, "few", 1),
        (0, 24, "few", 1),
        (2, 12, "few", 1),
        (2, 13, "some", 1),
        (4, 30, "some", 1),
        (4, 56, "many", 1),
        (0, 90, "many", 1),
        (0, 91, "many", 2),
        (13, 60, "many", 2),
        (200, 300, "many", 9),
    ],
)
def test_things_are_as_large_as_their_number_allows(troubled, calm, density, sheets):
    """Sixty courses fit on one sheet; five hundred take turns."""
    found = wall(troubled, calm)
    assert (found.density.name, len(found.sheets)) == (density, sheets)


@pytest.mark.parametrize(("troubled", "calm"), [(1, 1), (13, 60), (39, 500), (200, 300)])
def test_every_course_stands_on_exactly_one_sheet_alarms_first(troubled, calm):
    """Nobody is forgotten, nobody is counted twice, no sheet holds more than its lines."""
    found = wall(troubled, calm)
    shown = [one.line.course for sheet in found.sheets for one in (*sheet.tiles, *sheet.rows)]
    assert len(shown) == len(set(shown)) == troubled + calm
    assert shown[0] == "P-000"
    for sheet in found.sheets:
        high = -(-len(sheet.tiles) // found.density.troubled) * found.density.high
        assert high + -(-len(sheet.rows) // found.density.calm) <= found.density.lines


def test_a_density_divides_the_grid():
    """The style sheet gives each tile a whole number of the 36 columns."""
    assert all(36 % density.calm == 0 == 36 % density.troubled for density in DENSITIES)


async def test_the_wall_shows_its_sheets_in_turn_without_javascript(client, service):
    """The browser asks for the next sheet by itself, and comes round to the first again."""
    service.shown = board(*(course(f"Q-{number:03}") for number in range(91)))
    first, second = (await client.get("/wall")).text, (await client.get("/wall?sheet=2")).text
    assert 'content="8;url=/wall?sheet=2"' in first
    assert 'content="8;url=/wall?sheet=1"' in second
    assert first.count(" hidden>") == second.count(" hidden>") == 1
    assert '<section class="sheet many" id="sheet-2" aria-label="Sheet 2" hidden>' in first
    assert '<section class="sheet many" id="sheet-1" aria-label="Sheet 1" hidden>' in second
    assert (await client.get("/wall?sheet=7")).status_code == 200  # sheets come and go


async def test_the_wall_asks_nothing_of_anybody(client, service):
    """No link, no form: a screen that nobody touches."""
    service.shown = board(interrupted(), course("P-052"))
    html = (await client.get("/wall")).text
    assert "<form" not in html
    assert "<a " not in html
    assert "Nobody has it" in html
    assert "1 h 12 min of 4 h interrupted" in html
