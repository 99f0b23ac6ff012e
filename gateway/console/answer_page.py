"""The page behind a page's private link: what is wrong, what to do first, who has it, and two buttons. No JavaScript is needed.

GET and HEAD show; whatever opens links on its own (previewers, scanners of mail) changes nothing. Only a POST acts, in the name
of the one recipient of that link, and leads back to the page that shows what is true now. Nothing else can be reached from here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.console.access import Running
from gateway.console.answer_words import Words, words_for
from gateway.console.answering import act
from gateway.console.diary_links import Pace
from gateway.console.sentences import in_words
from gateway.console.terms import alert_words
from gateway.console.times import clock, length
from gateway.console.words import words_in
from gateway.core.board import IncidentLine
from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.words import IncidentState
from gateway.runtime.answering import Wish, passed_on_at
from gateway.runtime.links import LinkedPage
from gateway.runtime.ports import JournalFull
from gateway.runtime.service import Service

WRONG_A_MINUTE = 20  # tokens that lead nowhere, from one address; a right one always opens
WRONG_A_MINUTE_IN_ALL = 200
BODY_MAX_BYTES = 1_024

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing was changed, or nothing can be shown; with the status of the answer."""

    status: int
    words: str


class Buttons(StrEnum):
    """What the recipient can press, given who has the incident."""

    NONE = "none"
    TAKE = "take"
    TAKE_OVER = "take-over"
    RENEW = "renew"


def answer_page() -> APIRouter:
    """The routes of `/a/{token}`."""
    here, everywhere = Pace(WRONG_A_MINUTE), Pace(WRONG_A_MINUTE_IN_ALL)
    router = APIRouter(include_in_schema=False)

    def opened(token: str, request: Request, service: Service) -> LinkedPage | Trouble:
        page, words = service.linked(token), _words(request)
        if page is not None:
            return page
        asker = request.client.host if request.client else ""
        allowed = (here.allows(asker, service.now()), everywhere.allows("", service.now()))
        return Trouble(404, words.unknown) if all(allowed) else Trouble(429, words.too_often)

    @router.api_route("/a/{token}", methods=["GET", "HEAD"])
    async def show(token: str, request: Request, service: Running) -> Response:
        """What is true now. Changes nothing, whoever or whatever opens it."""
        page = opened(token, request, service)
        return _shown(service, _words(request), page)

    @router.post("/a/{token}")
    async def answer(token: str, request: Request, service: Running) -> Response:
        """Take it or pass it on, then show what is true now."""
        page, words = opened(token, request, service), _words(request)
        if isinstance(page, Trouble):
            return _shown(service, words, page)
        wish = await _wish(request)
        if wish is None:
            return _shown(service, words, page, Trouble(422, words.not_understood))
        try:
            acted = await act(service, page, wish, by="link")
        except JournalFull:
            return _shown(service, words, page, Trouble(503, words.full))
        if acted.refused:
            told = partial(clock, now=service.now(), zone=ZoneInfo(page.timezone), locale=Locale(words.lang))
            refused = words.refused.format(in_words(acted.said, words_in(Locale(words.lang)), told))
            return _shown(service, words, service.linked(token) or page, Trouble(409, refused))
        return RedirectResponse(token, 303, _HEADERS)  # relative: whatever path a proxy puts in front of ours stays

    return router


def _words(request: Request) -> Words:
    return words_for(request.headers.get("accept-language", ""))


async def _wish(request: Request) -> Wish | None:
    """Which button was pressed; None for a body that no button of ours sends."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX_BYTES:
            return None
    wanted = parse_qs(body.decode("utf-8", "replace")).get("do", [""])
    return next((wish for wish in Wish if wanted == [wish.value]), None)


def _shown(service: Service, words: Words, page: LinkedPage | Trouble, trouble: Trouble | None = None) -> HTMLResponse:
    shown, trouble = (None, page) if isinstance(page, Trouble) else (page, trouble)
    now, zone = service.now(), ZoneInfo(shown.timezone if shown else "UTC")

    def told(at: Instant) -> str:
        return clock(at, now, zone, Locale(words.lang))

    text = _templates.get_template("answer.html").render(
        words=words,
        page=shown,
        priority=dict(words.priorities)[shown.incident.priority.value] if shown else "",
        states=list(_states(shown, words, told)) if shown else [],
        firsts=_firsts(shown.incident, words) if shown else [],
        worst=_worst(service, shown, words, told) if shown else "",
        buttons=_buttons(shown).value if shown else Buttons.NONE.value,
        say_kind=partial(alert_words, say=words_in(Locale(words.lang))),
        told=told,
        now=told(now),
        trouble=trouble.words if trouble else "",
    )
    return HTMLResponse(text, trouble.status if trouble else 200, _HEADERS | {"Content-Language": words.lang})


def _firsts(line: IncidentLine, words: Words) -> list[str]:
    """What to do first, the most urgent before the others, each said once."""
    return list(dict.fromkeys(first for alert in line.alerts if (first := alert.translated.get(words.lang, alert.first))))


def _worst(service: Service, page: LinkedPage, words: Words, told: Callable[[Instant], str]) -> str:
    """The course's clock at its worst against the protocol's limit; nothing where no clock runs."""
    sheets = service.sheets()
    sheet = sheets.incident(page.incident.key)
    course = sheet.course if sheet is not None else None
    if course is None or course.limit_at is None or page.incident.state is IncidentState.RESOLVED:
        return ""
    locale, left_ms = Locale(words.lang), course.limit_at - sheets.at
    limit = length(course.worst_ms + left_ms, locale)
    if left_ms > 0:
        return words.left.format(length(left_ms, locale), limit, told(course.limit_at))
    return " ".join([words.passed_limit.format(limit, told(course.limit_at)), course.past_limit]).strip()


def _buttons(page: LinkedPage) -> Buttons:
    line = page.incident
    if line.state is IncidentState.RESOLVED:
        return Buttons.NONE
    if not line.holder:
        return Buttons.TAKE
    return Buttons.RENEW if line.holder == page.person else Buttons.TAKE_OVER


def _states(page: LinkedPage, words: Words, told: Callable[[Instant], str]) -> Iterator[str]:
    """Who has it, or since when it is over; and what the recipient did about it last."""
    line, passed_at = page.incident, passed_on_at(page)
    if line.state is IncidentState.RESOLVED:
        yield words.over.format(told(line.closed_at or line.opened_at))
    elif line.holder:
        until = told(line.held_until or line.opened_at)
        yield words.yours.format(until) if line.holder == page.person else words.theirs.format(line.holder, until)
    else:
        if passed_at is not None:
            yield words.passed.format(told(passed_at))
        yield words.nobody
        if line.next_step_at is not None:
            yield words.next_at.format(told(line.next_step_at))
