"""The pages of people and policies: who is on call, how each person is reached and how well that works, who is paged after whom.

A test page is asked for by a form on a person's page; the receipt stands there as it comes.
"""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from gateway.console import roster_words
from gateway.console.access import Reader, Running, Visitor, Who
from gateway.console.forms import FormRefused, read_form
from gateway.console.pages import frame_of, page
from gateway.console.policy_picture import picture
from gateway.console.roles import Need, may
from gateway.console.sentences import said_by, shown
from gateway.console.words import message, words_in
from gateway.core.roster import PersonLine
from gateway.domain.commands import SendTestPage
from gateway.runtime.ports import JournalFull
from gateway.runtime.service import Service

router = APIRouter(include_in_schema=False)

REFUSED, GONE, FULL = 409, 404, 503

NOT_YOURS = message("You may send a test page to yourself only; whoever manages the access may send one to anybody.")
NOT_STORED = message("Nothing was sent: the gateway cannot store anything now. The board says why.")


def may_test(visitor: Visitor, person: str) -> bool:
    """Everybody may be paged who asks for it; whoever manages the access may have anybody paged."""
    return visitor.name == person or may(visitor.role, Need.ADMIN)


@router.get("/people")
async def people(request: Request, service: Running, visitor: Reader) -> HTMLResponse:
    """Who is on call now and next, and everybody who can be paged."""
    roster = service.sheets().roster()
    rota = await asyncio.to_thread(roster.rota)
    return await _page(request, "people.html", visitor, roster=roster, rota=rota, me=roster.person(visitor.name))


@router.get("/people/{person}")
async def one_person(request: Request, service: Running, visitor: Reader, person: str) -> HTMLResponse:
    """One person, with the receipt of the newest test page."""
    return await _person(request, service, visitor, person)


@router.post("/people/{person}/test-page")
async def send_test_page(request: Request, service: Running, visitor: Reader, who: Who, person: str) -> Response:
    """Page this person now, as a test."""
    await read_form(request)
    if not may_test(visitor, person):
        raise FormRefused(NOT_YOURS)
    try:
        result = await service.command(who, SendTestPage(person=person))
    except JournalFull:
        trouble = words_in(frame_of(request).locale)(NOT_STORED)
        return await _person(request, service, visitor, person, status=FULL, trouble=trouble)
    if not result.ok:
        trouble = shown(said_by(result), frame_of(request))
        return await _person(request, service, visitor, person, status=REFUSED, trouble=trouble)
    return RedirectResponse(f"/people/{person}#receipt", 303)


@router.get("/policies")
async def policies(request: Request, service: Running, visitor: Reader) -> HTMLResponse:
    """Each policy as a picture, as a list and as a sentence; and which rule goes to which."""
    roster, say = service.sheets().roster(), words_in(frame_of(request).locale)
    pictures = {policy.name: picture(policy, roster.fallback, say) for policy in roster.policies}
    return await _page(request, "policies.html", visitor, roster=roster, pictures=pictures)


async def _person(
    request: Request, service: Service, visitor: Visitor, person: str, *, status: int = 200, trouble: str = ""
) -> HTMLResponse:
    roster = service.sheets().roster()
    line = roster.person(person)
    if line is None:
        return await _page(request, "no_person.html", visitor, status=GONE, roster=roster)
    schedules = [schedule for schedule in roster.schedules if schedule.name in line.on_call]
    return await _page(request, "person.html", visitor, status=status, person=line, schedules=schedules, trouble=trouble)


async def _page(request: Request, template: str, visitor: Visitor, *, status: int = 200, **values: object) -> HTMLResponse:
    whole = may(visitor.role, Need.ADMIN)

    def address(text: str) -> str:
        return text if whole else roster_words.masked(text)

    def can_test(line: PersonLine) -> bool:
        return may_test(visitor, line.id)

    return await page(request, template, status=status, words=roster_words, address=address, can_test=can_test, **values)
