"""The choice of language: a link at the foot of every page."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from gateway.console.words import COOKIE
from gateway.domain.locale import Locale

YEAR_S = 365 * 24 * 60 * 60

router = APIRouter(include_in_schema=False)


@router.get("/language/{tag}")
async def choose(tag: Locale, back: Annotated[str, Query(max_length=2_000)] = "/") -> RedirectResponse:
    """Remember the language in this browser, and go back to the page; to the board where `back` is none of ours."""
    ours = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    answer = RedirectResponse(back if ours else "/", 303)
    answer.set_cookie(COOKIE, tag.value, max_age=YEAR_S, path="/", httponly=True, samesite="lax")
    return answer
