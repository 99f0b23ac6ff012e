"""What the API has beyond its routes: the written board, the stream, keys, paces. Put together by `gateway.console.app`."""

from fastapi import FastAPI

from gateway.console import course_history, stream
from gateway.console.board_answer import BoardAnswer
from gateway.console.description import describe
from gateway.console.once import OnceOnly
from gateway.console.pace import Paced
from gateway.console.problems import documented
from gateway.runtime.service import Service

ROUTERS = (course_history.router, stream.router)


def mount_api(api: FastAPI, service: Service) -> None:
    """Add them to `api`; to be called before the guard is put in front, because keys and paces are each visitor's own."""
    api.state.board_answer = BoardAnswer(service)
    api.state.stream = stream.Stream(service)
    for router in ROUTERS:
        api.include_router(router, responses=documented(401, 403, 422))
    api.add_middleware(OnceOnly, now=service.now)
    api.add_middleware(Paced)
    describe(api)
