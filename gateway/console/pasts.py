"""The past, for every handler that shows it."""

from typing import Annotated

from fastapi import Depends, Request

from gateway.console.problems import Trouble
from gateway.console.words import message
from gateway.runtime.history import History


def _history(request: Request) -> History:
    history: History | None = getattr(request.app.state, "history", None)
    if history is None:
        raise Trouble(503, message("there is no journal to look back in"))
    return history


Past = Annotated[History, Depends(_history)]
