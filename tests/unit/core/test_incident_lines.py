"""The remembered incidents as front ends ask for them: by state, by subject, and no more lines than are shown."""

import pytest

from gateway.core import board
from gateway.core.board import incident_lines
from gateway.core.incident_state import Happening
from gateway.domain.commands import AddDiary, Close
from gateway.domain.words import IncidentState
from tests.support.core_world import COURSE, World


@pytest.fixture
def world() -> World:
    """Three incidents of P-017, one after the other; the first two are closed."""
    made = World()
    for begin in (0, 10, 20):
        made.runs(range(begin, begin + 5))
        made.does(begin + 5, AddDiary(course=COURSE, temperature_c=38.2))
        made.runs(range(begin + 6, begin + 8))
        if begin < 20:
            made.does(begin + 8, Close(incident=COURSE, reason="seen"))
            made.does(begin + 9, AddDiary(course=COURSE, temperature_c=36.6))
    return made


def test_by_state_by_subject_and_part_by_part(world: World):
    """Newest first; a key leads to all incidents of its course; whom nobody knows has none."""
    state = world.monitor.state
    newest, middle, oldest = (line.key for line in incident_lines(state))
    asked = {
        (IncidentState.TRIGGERED, "", 0, None): [newest],
        (IncidentState.RESOLVED, "", 0, None): [middle, oldest],
        (IncidentState.RESOLVED, "", 1, 1): [oldest],
        (IncidentState.RESOLVED, "", 2, 1): [],
        (None, "", 0, 2): [newest, middle],
        (None, COURSE, 0, None): [newest, middle, oldest],
        (None, oldest, 0, None): [newest, middle, oldest],
        (None, "P-999", 0, None): [],
        (None, "P-999@1", 0, None): [],
    }
    for (wanted, about, first, most), keys in asked.items():
        assert [line.key for line in incident_lines(state, wanted, about=about, first=first, most=most)] == keys


def test_what_is_not_shown_costs_no_line(world: World, monkeypatch: pytest.MonkeyPatch):
    """Ten thousand may be remembered, and pages wait while lines are made."""
    made: list[str] = []
    line_of = board.incident_line
    monkeypatch.setattr(board, "incident_line", lambda incident, state: made.append(incident.key) or line_of(incident, state))
    incident_lines(world.monitor.state, IncidentState.RESOLVED, most=1)
    incident_lines(world.monitor.state, about="P-999")
    assert len(made) == 1


def test_a_history_is_shown_as_it_is_remembered(world: World):
    """Its lines are frozen, so that nobody copies them and nobody can change them."""
    (incident,) = world.course.open.values()
    (line,) = incident_lines(world.monitor.state, IncidentState.TRIGGERED)
    assert all(shown is kept for shown, kept in zip(line.history, incident.history, strict=True))
    with pytest.raises(AttributeError):
        Happening(1, "note").text = "changed"  # type: ignore[misc]
