"""The home's own page, behind a private link: one form without JavaScript, for an old phone. GET shows, POST notes.

Whoever has the link may write into that diary and read the day's entries; nothing else can be reached from it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from unicodedata import normalize
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import jinja2
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from gateway.console.diary_api import diary_router
from gateway.console.diary_links import DiaryLinks, Pace
from gateway.console.diary_words import Words, words_for
from gateway.console.sentences import in_words, said_by
from gateway.console.times import clock
from gateway.console.words import words_in
from gateway.core.board import CourseLine
from gateway.core.diary import FAHRENHEIT_LEAST_C, TEMPERATURE_LEAST_C, TEMPERATURE_MOST_C, TEXT_MAX
from gateway.domain.commands import AddDiary
from gateway.domain.diary import DiaryLine
from gateway.domain.effects import CommandResult
from gateway.domain.instants import HOUR_MS, SECOND_MS, Instant
from gateway.domain.locale import Locale
from gateway.runtime.ports import JournalFull
from gateway.runtime.service import Service

BODY_MAX_BYTES = 16_384  # 500 characters of Chinese are 4,500 in a form's encoding
REQUESTS_A_MINUTE = 60  # from one address; behind a proxy several homes share it
ENTRIES_AN_HOUR = 20  # for one course
WHO = "diary-page"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_TEMPERATURE = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:°\s*)?(?:C|度)?", re.IGNORECASE)

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed into the form, shown again when it was not taken."""

    temperature: str = ""
    handwriting: str = ""
    feeling: str = ""
    writer: str = "patient"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: what the template shows, and its status."""

    words: Words
    status: int = 200
    line: CourseLine | None = None
    path: str = ""
    trouble: str = ""
    noted: tuple[str, ...] = ()
    given: Given = field(default_factory=Given)


def mount_diary(app: FastAPI, service: Service, secret: str, base_url: str = "") -> None:
    """Put the diary page (`/d/…`), and the diary of the API, into the console's application.

    `secret` stands beside the journal (`diary_links.secret_file`); `base_url` is where homes reach the console, as the ward file
    says. Raises ValueError when the secret is empty.
    """
    links = DiaryLinks(secret, base_url)
    home = _Home(service, links)
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/d/{token}", home.show, methods=["GET"])
    router.add_api_route("/d/{token}", home.take, methods=["POST"])
    app.include_router(router)
    app.include_router(diary_router(service, links))


class _Home:
    """The two ways to use the page."""

    def __init__(self, service: Service, links: DiaryLinks) -> None:
        self._service, self._links = service, links
        self._requests, self._entries = Pace(REQUESTS_A_MINUTE), Pace(ENTRIES_AN_HOUR, HOUR_MS)

    async def show(self, token: str, request: Request) -> HTMLResponse:
        """The form, and what stands in the diary today. Changes nothing, whoever or whatever opens it."""
        page = self._opened(token, request)
        return self._answer(page)

    async def take(self, token: str, request: Request) -> HTMLResponse:
        """Note what the form holds, and say it back."""
        page = self._opened(token, request)
        if page.line is None:
            return self._answer(page)
        given = await _given(request)
        say = partial(Page, page.words, line=page.line, path=page.path)
        if given is None:
            return self._answer(say(413, trouble=page.words.too_long))
        command = _command(page.line.course, given, page.words)
        if isinstance(command, str):
            return self._answer(say(422, trouble=command, given=given))
        if not self._entries.allows(page.line.course, self._service.now()):
            return self._answer(say(429, trouble=page.words.too_often, given=given))
        try:
            result = await self._service.command(WHO, command)
        except JournalFull:
            return self._answer(say(503, trouble=page.words.full, given=given))
        if not result.ok:
            return self._answer(say(409, trouble=page.words.refused.format(self._why(result, page.words)), given=given))
        return self._answer(say(200, noted=tuple(_said_back(command, page.words))))

    def _why(self, result: CommandResult, words: Words) -> str:
        """Why the gateway refused, in the reader's language."""
        locale, zone = Locale(words.lang), ZoneInfo(self._service.timezone())
        return in_words(said_by(result), words_in(locale), partial(clock, now=self._service.now(), zone=zone, locale=locale))

    def _opened(self, token: str, request: Request) -> Page:
        """The page of this token's course; a wrong token has the same answer as the token of a course that is over."""
        words = words_for(request.headers.get("accept-language", ""))
        if not self._requests.allows(request.client.host if request.client else "", self._service.now()):
            return Page(words, 429, trouble=words.too_often)
        line = self._links.course_of(token, self._service.board().courses)
        if line is None:
            return Page(words, 404, trouble=words.unknown)
        return Page(words, line=line, path=self._links.path(line))

    def _answer(self, page: Page) -> HTMLResponse:
        board = self._service.board()
        zone = ZoneInfo(board.timezone)
        text = _templates.get_template("diary.html").render(
            words=page.words,
            course=page.line.course if page.line else "",
            path=page.path,
            trouble=page.trouble,
            given=page.given,
            noted=page.noted,
            noted_at=clock(board.at, board.at, zone),
            today=list(_today(board.courses, page.line, board.at, zone, page.words)),
        )
        return HTMLResponse(text, page.status, _HEADERS | {"Content-Language": page.words.lang})


async def _given(request: Request) -> Given | None:
    """The form's fields; None when the body is larger than any honest form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=100) if body.count(b"&") < 100 else {}
    return Given(
        temperature=_field(fields, "temperature", 40),
        handwriting=_field(fields, "handwriting", 10),
        feeling=_field(fields, "feeling", 4 * TEXT_MAX),
        writer=_field(fields, "writer", 10),
    )


def _field(fields: Mapping[str, list[str]], name: str, chars_max: int) -> str:
    return fields.get(name, [""])[0].strip()[:chars_max]


def _command(course: str, given: Given, words: Words) -> AddDiary | str:
    """The entry, or why it cannot be one, in the reader's language."""
    typed = normalize("NFKC", given.temperature)  # a Chinese keyboard writes wide digits
    match = _TEMPERATURE.fullmatch(typed)
    celsius = float(match[1].replace(",", ".")) if match else None
    if typed and celsius is None:
        return words.not_a_number.format(given.temperature)
    if celsius is not None and celsius >= FAHRENHEIT_LEAST_C:
        return words.fahrenheit.format(f"{celsius:g}")
    if celsius is not None and not TEMPERATURE_LEAST_C <= celsius <= TEMPERATURE_MOST_C:
        return words.implausible.format(f"{celsius:g}")
    if len(given.feeling) > TEXT_MAX:
        return words.too_long
    changed = {"same": False, "changed": True}.get(given.handwriting)
    if celsius is None and changed is None and not given.feeling:
        return words.nothing_entered
    return AddDiary(
        course=course,
        temperature_c=celsius,
        handwriting_changed=changed,
        symptom=given.feeling,
        from_whom="caregiver" if given.writer == "caregiver" else "patient",
    )


def _said_back(command: AddDiary, words: Words) -> Iterator[str]:
    if command.temperature_c is not None:
        yield f"{command.temperature_c:g} °C"
    if command.handwriting_changed is not None:
        yield words.said_changed if command.handwriting_changed else words.said_same
    if command.symptom:
        yield command.symptom


def _today(courses: tuple[CourseLine, ...], line: CourseLine | None, at: Instant, zone: ZoneInfo, words: Words) -> Iterator[str]:
    """Today's entries as they stand in the diary now, newest first."""
    today = datetime.fromtimestamp(at / SECOND_MS, zone).date()
    for known in courses:
        if line is not None and known.course == line.course:
            for entry in reversed(known.diary):
                if datetime.fromtimestamp(entry.at / SECOND_MS, zone).date() == today:
                    yield f"{clock(entry.at, at, zone)} {_entry(entry, words)}"


def _entry(entry: DiaryLine, words: Words) -> str:
    if entry.temperature_c is not None:
        return f"{entry.temperature_c:g} °C"
    if entry.changed is not None:
        return words.said_changed if entry.changed else words.said_same
    return entry.text
