"""People, schedules and policies over HTTP; and the test page, with its receipt."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from gateway.console.access import Reader, Running, Visitor, Who, carry_out
from gateway.console.people_shapes import (
    DutyShape,
    OverrideShape,
    PersonShape,
    PoliciesShape,
    PolicyShape,
    RotaShape,
    RuleShape,
    StepShape,
)
from gateway.console.problems import FORBIDDEN, Trouble, documented
from gateway.console.roles import Need, may
from gateway.console.roster_words import masked
from gateway.console.shapes import DoneShape
from gateway.core.roster import DAYS, PersonLine, RotaLine
from gateway.domain.commands import SendTestPage
from gateway.domain.ward import Policy

DAYS_MAX = 92  # of a rota; a calendar of many events takes long to read

router = APIRouter(prefix="/api/v1", tags=["people"])


@router.get("/people")
async def people(service: Running, visitor: Reader) -> list[PersonShape]:
    """Everybody who can be paged, how, and how well that works."""
    return [_person(line, visitor) for line in service.sheets().roster().people]


@router.get("/people/{person}", responses=documented(404))
async def one_person(service: Running, visitor: Reader, person: str) -> PersonShape:
    """One person; while a test page waits for its receipt, ask again."""
    line = service.sheets().roster().person(person)
    if line is None:
        raise Trouble(404, f"the ward has no {person!r}")
    return _person(line, visitor)


@router.post("/people/{person}/test-page", status_code=202, responses=documented(403, 409, 503))
async def send_test_page(service: Running, visitor: Reader, who: Who, person: str) -> DoneShape:
    """Page a person now, by every contact, with a text that says it is a test; their `test` of this `seq` is its receipt."""
    if visitor.name != person and not may(visitor.role, Need.ADMIN):
        raise Trouble(403, "you may send a test page to yourself only", kind=FORBIDDEN)
    return await carry_out(service, who, SendTestPage(person=person))


@router.get("/oncall")
async def oncall(service: Running, _: Reader, days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = DAYS) -> list[RotaShape]:
    """Every schedule: who is on call now and next, through the coming days, and where nobody is."""
    rota = await asyncio.to_thread(service.sheets().roster().rota, days)
    return [_rota(line) for line in rota]


@router.get("/policies")
async def policies(service: Running, _: Reader) -> PoliciesShape:
    """Who is paged after whom."""
    roster = service.sheets().roster()
    return PoliciesShape(
        policies=[_policy(policy) for policy in roster.policies],
        fallback=list(roster.fallback),
        rules=[RuleShape.model_validate(line) for line in roster.rules],
    )


def _person(line: PersonLine, visitor: Visitor) -> PersonShape:
    shape = PersonShape.model_validate(line)
    if may(visitor.role, Need.ADMIN):
        return shape
    ways = [way.model_copy(update={"address": masked(way.address)}) for way in shape.ways]
    test = shape.test
    if test is not None:
        tried = [each.model_copy(update={"address": masked(each.address)}) for each in test.tried]
        test = test.model_copy(update={"tried": tried})
    return shape.model_copy(update={"ways": ways, "test": test})


def _rota(line: RotaLine) -> RotaShape:
    duties = [DutyShape.model_validate(duty) for duty in line.duties]
    following = duties[1] if len(duties) > 1 else None
    return RotaShape(
        name=line.name,
        timezone=line.timezone,
        now=duties[0].people,
        next=following.people if following else [],
        next_at=following.from_at if following else None,
        gaps=[duty for duty in duties if not duty.people],
        duties=duties,
        overrides=[OverrideShape.model_validate(shift) for shift in line.overrides],
    )


def _policy(policy: Policy) -> PolicyShape:
    return PolicyShape(
        name=policy.name,
        steps=[StepShape.model_validate(step) for step in policy.steps],
        repeat_from=None if policy.repeat_from is None else policy.repeat_from + 1,
        repeat_every_ms=policy.repeat_every_ms,
        ack_lease_ms=policy.ack_lease_ms,
        milestone_targets=list(policy.milestone_targets),
    )
