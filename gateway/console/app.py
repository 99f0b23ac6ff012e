"""The HTTP API and the status page, put together around one running gateway."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles

from gateway.console import boards, care, courses, docs_page, health, incidents, probes, quiet, replies, status_page
from gateway.console.guard import Guard
from gateway.console.live import Live
from gateway.console.problems import Problem, answer_with_problems, documented
from gateway.runtime.service import Service

_STATIC = Path(__file__).parent / "static"

_ABOUT = """
Everything under /api/v1 needs the gateway's token, as "Authorization: Bearer …"; it is in the file api-token beside the journal.
The header X-Dripwatch-User says who asks; it stands in the journal beside every change. Errors are problem details (RFC 9457).
Instants are RFC 3339 in UTC; lengths of time are milliseconds in answers, and texts like 30m or 7d in bodies. Nothing here
commands a pump.
"""


def create_api(service: Service, *, token: str, extra: Sequence[APIRouter] = ()) -> FastAPI:
    """The API and the status page of `service`. `extra` routers answer beside ours, and see to their own admission.

    Raises ValueError for an empty token.
    """
    if not token:
        raise ValueError("the API needs a token")
    api = FastAPI(
        title="Dripwatch",
        version=version("dripwatch"),
        description=" ".join(_ABOUT.split()),
        docs_url=None,  # FastAPI's own page loads its parts from the internet
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    api.state.service = service
    api.state.live = Live(service, partial(status_page.render, "board.html", service))
    # The guard asks for the token; this only tells readers of the description that it is needed.
    bearer = [Depends(HTTPBearer(auto_error=False, description="the text in the file api-token beside the journal"))]
    for router in (boards.router, courses.router, care.router, quiet.router, incidents.router, probes.router, replies.router):
        api.include_router(router, dependencies=bearer, responses=documented(401, 422))
    for router in (health.router, status_page.router, docs_page.router, *extra):
        api.include_router(router)
    api.mount("/static", StaticFiles(directory=_STATIC), name="static")
    answer_with_problems(api)
    api.add_middleware(Guard, token=token)
    _tell_of_problems(api)
    return api


def _tell_of_problems(api: FastAPI) -> None:
    """Put the shape of problems into the description: our error answers refer to it."""
    described = api.openapi

    def openapi() -> dict[str, object]:
        schema = described()
        schemas = schema["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schemas["Problem"].pop("$defs", {}))
        return schema

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
