"""What each route needs of its visitor, where the route does not say so itself.

A route says it by a parameter (`Triager`, …) or by `needs(…)`. Of those that do not, what reads is for readers and what changes
is for triagers, but for the exceptions below. So a route that everybody forgot is never open; a test finds it all the same.
"""

from collections.abc import Mapping

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.console.access import Allowed, allowed
from gateway.console.guard import is_open
from gateway.console.origin import SAFE
from gateway.console.roles import Need

EXCEPTIONS: Mapping[tuple[str, str], Need] = {
    ("GET", "/health/live"): Need.VIEW,
    ("GET", "/health/ready"): Need.VIEW,
    ("POST", "/api/v1/pumps/{device}/clear"): Need.PUMP,
    ("POST", "/api/v1/courses/{course}/pump"): Need.PUMP,
    ("POST", "/api/v1/probe"): Need.TECHNICIAN,
    ("POST", "/api/v1/replies"): Need.ADMIN,  # speaks in the name of whoever has the number
}


async def admission(request: Request) -> None:
    """For the whole application: judge the visitor where the route itself does not. Raises `Trouble`."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or is_open(request.url.path) or declares(route):
        return
    await allowed(need_of(request.method, route.path))(request)


def need_of(verb: str, path: str) -> Need:
    """What a route that does not say it itself needs."""
    return EXCEPTIONS.get((verb, path)) or (Need.READ if verb in SAFE else Need.TRIAGE)


def declares(route: APIRoute) -> frozenset[Need]:
    """What the route, and the router around it, say that it needs: all of it. Nothing where they do not say."""
    return _declared(route.dependant)


def _declared(dependant: Dependant) -> frozenset[Need]:
    own = {dependant.call.need} if isinstance(dependant.call, Allowed) else set()
    return frozenset(own).union(*(_declared(below) for below in dependant.dependencies))
