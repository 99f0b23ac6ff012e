"""How a page is made: a template on the common look, in the reader's language, laid out in another thread.

Every template extends `layout.html` (blocks `title` and `main`) and sees, besides its own values:

    _("…")      the text in the reader's language (gateway/console/words.py); catalogue: locale/zh-Hant/<part>.yaml
    say         the same, to hand on to a function
    visitor     who looks (`access.Visitor`), or None before the sign-in;  can("triage"): whether the visitor may do that
    csrf        the text of the hidden field of every form
    at          now;  zone  the ward's;  lang  the language's tag;  here  the page's path, with its query
    filters     at | clock · at | age · at | rfc3339 · at | day_and_clock · at | to_the_second · length_ms | length
                rule | rule_words · kind | kind_words · alert | kind · incident | holder · state | state_words
    macros      {% import "marks.html" as marks with context %}: marks.priority(p), marks.delivery(state), marks.at(instant),
                marks.csrf_field(), marks.trouble(words), marks.done(words)

Templates are written in English inside `_("…")`; names that a template gets wrong are errors; everything is escaped.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway.console import terms, times
from gateway.console.access import Visitor, visitor_of
from gateway.console.roles import may
from gateway.console.words import COOKIE, locale_of, words_in
from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.runtime.service import Service

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Frame:
    """What every template sees besides its own values."""

    at: Instant
    zone: ZoneInfo
    locale: Locale
    visitor: Visitor | None
    csrf: str
    here: str

    def can(self, need: str) -> bool:
        """Whether the visitor's role allows this `roles.Need`: view, read, triage, pump, technician, admin."""
        return self.visitor is not None and may(self.visitor.role, need)


async def page(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """The template as an answer, with its language told."""
    frame = frame_of(request)
    return answer(await asyncio.to_thread(lay_out, template, frame, values), frame, status)


def answer(text: str, frame: Frame, status: int = 200) -> HTMLResponse:
    """A page that is laid out, as an answer with its language."""
    return HTMLResponse(text, status, {"Content-Language": frame.locale.value, "Vary": "Accept-Language, Cookie"})


def frame_without_request(service: Service, locale: Locale, visitor: Visitor) -> Frame:
    """For what is laid out once for many readers: no form of it carries anybody's mark."""
    return Frame(service.now(), ZoneInfo(service.timezone()), locale, visitor, csrf="", here="/")


def frame_of(request: Request) -> Frame:
    """Who asks for which page, when, in which language."""
    service: Service = request.app.state.service
    return Frame(
        at=service.now(),
        zone=ZoneInfo(service.timezone()),
        locale=locale_of(request.headers.get("accept-language", ""), request.cookies.get(COOKIE, "")),
        visitor=visitor_of(request),
        csrf=request.state.csrf,
        here=_here(request),
    )


def _here(request: Request) -> str:
    """The page that is shown, with its query. A form that is refused is shown on its page: its path without the last part."""
    path, query = request.url.path, request.url.query
    if request.method not in ("GET", "HEAD"):
        return path.rpartition("/")[0] or "/"
    return f"{path}?{query}" if query else path


def lay_out(template: str, frame: Frame, values: Mapping[str, object]) -> str:
    """The template as text. Takes its time: call it from another thread."""
    told = {
        "frame": frame,  # what the filters read: a template may have a macro named `at`
        "at": frame.at,
        "zone": frame.zone,
        "lang": frame.locale.value,
        "visitor": frame.visitor,
        "can": frame.can,
        "csrf": frame.csrf,
        "here": frame.here,
    }
    return environment(frame.locale).get_template(template).render({**told, **values})


@jinja2.pass_context
def _clock(context: jinja2.runtime.Context, at: Instant) -> str:
    frame: Frame = context["frame"]
    return times.clock(at, frame.at, frame.zone, frame.locale)


@jinja2.pass_context
def _day_and_clock(context: jinja2.runtime.Context, at: Instant) -> str:
    frame: Frame = context["frame"]
    return times.day_and_clock(at, frame.at, frame.zone, frame.locale)


@jinja2.pass_context
def _age(context: jinja2.runtime.Context, at: Instant) -> str:
    frame: Frame = context["frame"]
    return times.age(at, frame.at, frame.locale)


@jinja2.pass_context
def _to_the_second(context: jinja2.runtime.Context, at: Instant) -> str:
    return times.to_the_second(at, context["frame"].zone)


@cache
def environment(locale: Locale) -> jinja2.Environment:
    """Everything is escaped, and a name that a template gets wrong is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    say = words_in(locale)
    made.globals |= {"_": say, "say": say, "locales": tuple(Locale)}
    made.filters |= {
        "clock": _clock,
        "day_and_clock": _day_and_clock,
        "age": _age,
        "to_the_second": _to_the_second,
        "rfc3339": times.rfc3339,
        "length": partial(times.length, locale=locale),
        "kind": partial(terms.alert_words, say=say),
        "holder": partial(terms.holder_words, say=say),
        "people": partial(terms.people_words, say=say),
        "rule_words": partial(terms.rule_words, say=say),
        "kind_words": partial(terms.kind_words, say=say),
        "state_words": partial(terms.state_words, say=say),
        "cause_words": partial(terms.cause_words, say=say),
        "priority_words": partial(terms.priority_words, say=say),
        "outcome_words": partial(terms.outcome_words, say=say),
    }
    return made
