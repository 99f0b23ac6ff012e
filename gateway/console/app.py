"""The HTTP API and the console, put together around one running gateway."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles

from gateway.console import (
    access_api,
    access_page,
    account_page,
    bench_api,
    board_page,
    boards,
    care,
    course_pages,
    courses,
    docs_page,
    figures_page,
    health,
    incident_list,
    incident_pages,
    incidents,
    language,
    people_api,
    people_pages,
    probes,
    pump_pages,
    quiet,
    replies,
    series_api,
    sign_in_pages,
)
from gateway.console.accounts import Accounts
from gateway.console.admission import admission
from gateway.console.api import mount_api
from gateway.console.door import Callers, Door
from gateway.console.guard import Guard
from gateway.console.problems import answer_with_problems, documented
from gateway.console.refusals import show_browsers_pages
from gateway.console.signing_in import SignIn
from gateway.runtime.service import Service

_API = (
    boards.router,
    bench_api.router,
    courses.router,
    care.router,
    quiet.router,
    incidents.router,
    probes.router,
    replies.router,
    people_api.router,
    series_api.router,
    access_api.router,
)
_PAGES = (
    health.router,
    figures_page.router,
    board_page.router,
    incident_list.router,
    language.router,
    docs_page.router,
    sign_in_pages.router,
    account_page.router,
    access_page.router,
    incident_pages.router,
    course_pages.router,
    pump_pages.router,
    people_pages.router,
)
_STATIC = Path(__file__).parent / "static"

_ABOUT = """
Everything under /api/v1 needs a token, as "Authorization: Bearer …": one that dripwatch token add made, or that of the file
api-token beside the journal, with which X-Dripwatch-User says who asks; or the session of a browser that signed in. Who asked
stands in the journal beside every change. Errors are problem details (RFC 9457). Instants are RFC 3339 in UTC; lengths of time
are milliseconds in answers, and texts like 30m or 7d in bodies. Nothing here commands a pump.
"""


@dataclass(frozen=True, slots=True)
class Entrance:
    """How people get in: their accounts (None: there are none), whom the door believes, and the console's public address."""

    accounts: Accounts | None = None
    callers: Callers = field(default_factory=Callers)
    base_url: str = ""


def create_api(service: Service, *, token: str, extra: Sequence[APIRouter] = (), entrance: Entrance | None = None) -> FastAPI:
    """The API and the console of `service`. `extra` routers answer beside ours; `token` is that of the key file.

    Raises ValueError for an empty token.
    """
    entrance = entrance or Entrance()
    accounts = entrance.accounts or Accounts(service)
    door = Door(token, accounts, entrance.callers)
    api = _application()
    api.state.service = service
    api.state.accounts, api.state.sign_in = accounts, SignIn(accounts)
    api.state.hosts = frozenset({urlsplit(entrance.base_url).netloc} - {""})
    api.state.live = board_page.live_of(service)
    # The guard asks for the token; this only tells readers of the description that it is needed.
    bearer = [Depends(HTTPBearer(auto_error=False, description="a token of dripwatch token add, or that of the file api-token"))]
    for router in _API:
        api.include_router(router, dependencies=bearer, responses=documented(401, 403, 422))
    for router in (*_PAGES, *extra):
        api.include_router(router)
    api.mount("/static", StaticFiles(directory=_STATIC), name="static")
    answer_with_problems(api)
    show_browsers_pages(api)
    mount_api(api, service)
    api.add_middleware(Guard, door=door, form_key=hmac.digest(token.encode(), b"forms", "sha256"))
    return api


def _application() -> FastAPI:
    """Nothing but its description, and that each route judges its visitor."""
    return FastAPI(
        title="Dripwatch",
        version=version("dripwatch"),
        description=" ".join(_ABOUT.split()),
        docs_url=None,  # FastAPI's own page loads its parts from the internet
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        dependencies=[Depends(admission)],
    )
