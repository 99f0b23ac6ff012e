"""Who may do what: the table, its copy in the documentation, and that every route has its place in it."""

from pathlib import Path

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from gateway.console.admission import EXCEPTIONS, declares, need_of
from gateway.console.app import create_api
from gateway.console.guard import OPEN, is_open
from gateway.console.roles import Need, Role, may, table
from tests.support.fake_service import TOKEN, FakeService

PAGE = (Path(__file__).parents[3] / "docs" / "access.md").read_text()

# kiosk, read, triage, technician, admin
CELLS = {
    Need.VIEW: (True, True, True, True, True),
    Need.READ: (False, True, True, True, True),
    Need.TRIAGE: (False, False, True, False, True),
    Need.PUMP: (False, False, True, True, True),
    Need.TECHNICIAN: (False, False, False, True, True),
    Need.ADMIN: (False, False, False, False, True),
}


@pytest.mark.hazard("H-68")
@pytest.mark.parametrize(
    ("role", "need", "allowed"), [(role, need, CELLS[need][n]) for need in Need for n, role in enumerate(Role)]
)
def test_each_cell_of_the_table(role, need, allowed):
    """Written down a second time, so that nobody opens a door by a slip."""
    assert may(role, need) is allowed


def test_the_table_in_the_documentation_is_this_one():
    """What people read is what the code does."""
    told = PAGE.partition("roles.py -->\n")[2].partition("<!-- end of roles -->")[0]
    assert told.splitlines() == list(table())


# What changes something and is for readers all the same: why.
FOR_READERS = {("POST", "/api/v1/people/{person}/test-page"): "pages oneself, by one's own name only"}


def routes() -> list[tuple[str, str, APIRoute]]:
    """(verb, path, route) of all that the application answers."""
    api = create_api(FakeService(), token=TOKEN)
    found = []
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        found += [(verb, str(context.path), route) for verb in sorted(context.methods or ())]
    return found


@pytest.mark.hazard("H-68")
def test_every_route_says_what_it_needs():
    """A page says it itself; the API may leave it to its verb; what is open is listed with its reason."""
    silent = [
        f"{verb} {path}"
        for verb, path, route in routes()
        if not is_open(path)
        and not path.startswith("/api/v1")
        and (verb, path) not in EXCEPTIONS
        and not (isinstance(route, APIRoute) and declares(route))
    ]
    assert not silent, silent


def test_no_exception_and_no_open_door_outlives_its_route():
    """A list of exceptions that nothing needs any more would hide the next mistake."""
    known = {(verb, path) for verb, path, _ in routes()}
    assert set(EXCEPTIONS) <= known
    mounted = ("/a/", "/d/", "/inbound/", "/static/")  # by the composition root, or without routes of their own
    assert [begins for begins in OPEN if begins not in mounted and not any(path.startswith(begins) for _, path in known)] == []


def test_what_changes_is_never_for_readers():
    """Whatever the API grows: its POST, PUT, PATCH and DELETE are for triagers at least."""
    for verb, path, route in routes():
        if path.startswith("/api/v1") and verb not in ("GET", "HEAD") and (verb, path) not in FOR_READERS:
            needs = declares(route) or {need_of(verb, path)}
            assert not all(may(Role.READ, need) for need in needs), f"{verb} {path}"
