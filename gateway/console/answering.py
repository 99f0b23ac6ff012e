"""Carries out what a page's recipient wants, and says what came of it."""

from dataclasses import dataclass
from typing import assert_never
from zoneinfo import ZoneInfo

from gateway.console.sentences import said_by
from gateway.console.times import clock
from gateway.domain.commands import Acknowledge, Escalate
from gateway.domain.instants import Instant
from gateway.domain.sentences import Sentence
from gateway.runtime.answering import WhyNot, Wish, passed_on_at, wanted
from gateway.runtime.links import LinkedPage
from gateway.runtime.service import Service


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of it; `refused` where the gateway would not do it, and says why."""

    said: Sentence | str
    refused: bool = False


async def act(service: Service, page: LinkedPage, wish: Wish, *, by: str) -> Acted:
    """Do it in the recipient's name, where it still means something; nothing else is touched. Raises `JournalFull`.

    `by`: how the recipient reached us, `link` or `call`, for the record.
    """
    command = wanted(page, wish, service.now())
    if isinstance(command, Acknowledge | Escalate):
        result = await service.command(page.person, command, by=by)
        return Acted(said_by(result), refused=not result.ok)
    return Acted(f"{page.incident.subject}: {_why_not(page, command, service.now())}")


def _why_not(page: LinkedPage, why: WhyNot, now: Instant) -> str:
    line = page.incident
    match why:
        case WhyNot.OVER:
            return f"over since {_clock(line.closed_at, page, now)}. Nothing was changed."
        case WhyNot.SOMEBODY_HAS_IT:
            return f"{line.holder} has it until {_clock(line.held_until, page, now)}. Nothing was changed."
        case WhyNot.PASSED_ALREADY:
            return f"you passed it on at {_clock(passed_on_at(page), page, now)}."
    assert_never(why)


def _clock(at: Instant | None, page: LinkedPage, now: Instant) -> str:
    return clock(at or now, now, ZoneInfo(page.timezone))
