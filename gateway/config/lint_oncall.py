"""Whether somebody is there when a page goes out: schedules, people, and the steps that name them."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.config.finding import LOOK_AHEAD_MS, FindingName, Found
from gateway.config.references import MUST_NOT_END
from gateway.config.settings import LoadedWard
from gateway.core.oncall import gaps
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.ward import Calendar, Person, Schedule, Ward

GAPS_SHOWN_MAX = 10  # a schedule; more of them say nothing new
BEYOND_MS = 366 * DAY_MS  # a calendar without a duty for a year after the 28 days has ended


def schedules(loaded: LoadedWard, at: Instant) -> Found:
    """Schedules in which nobody is on call: ever, for a stretch of the 28 days, or soon."""
    for name, schedule in loaded.ward.schedules.items():
        path = ("schedules", name)
        if not ever_on_call(schedule):
            message = "nobody is ever on call in it; add a rotation, layers, a calendar or overrides"
            yield FindingName.EMPTY_SCHEDULE, path, message
            continue
        yield from ((FindingName.ON_CALL_GAP, path, words) for words in _gaps(schedule, at))
        if schedule.calendar is not None and _has_ended(schedule.calendar, at):
            message = f"the calendar {_ending(schedule.calendar, schedule, at)}; export its next months"
            yield FindingName.CALENDAR_ENDS, path, message


def _gaps(schedule: Schedule, at: Instant) -> Iterator[str]:
    found = gaps(schedule, at, at + LOOK_AHEAD_MS)
    for start, end in found[:GAPS_SHOWN_MAX]:
        stretch = f"from {_local(start, schedule)} until {_local(end, schedule)}"
        yield f"nobody is on call {stretch}; add an override or a layer"
    if len(found) > GAPS_SHOWN_MAX:
        yield f"and {len(found) - GAPS_SHOWN_MAX} more gaps in these 28 days; dripwatch oncall {schedule.name} shows them"


def _local(at: Instant, schedule: Schedule) -> str:
    return f"{datetime.fromtimestamp(at / SECOND_MS, ZoneInfo(schedule.timezone)):%a %Y-%m-%d %H:%M}"


def _has_ended(calendar: Calendar, at: Instant) -> bool:
    return not calendar.shifts(at + LOOK_AHEAD_MS, at + LOOK_AHEAD_MS + BEYOND_MS)


def _ending(calendar: Calendar, schedule: Schedule, at: Instant) -> str:
    last = calendar.shifts(at, at + LOOK_AHEAD_MS)
    return f"ends {_local(max(shift.until_at for shift in last), schedule)}" if last else "has ended: no duty is still to come"


def people(loaded: LoadedWard, _at: Instant) -> Found:
    """People who are hard to reach, cannot answer, or are never paged."""
    ward = loaded.ward
    targets = list(_all_targets(ward))
    paged = {person for target in targets for person in ever_meant(target, ward)}
    on_duty = {person for target in targets if target.startswith("schedule:") for person in ever_meant(target, ward)}
    for person in ward.people.values():
        path = ("people", person.id)
        channels = {contact.transport for contact in person.contacts}
        if len(channels) == 1:
            yield FindingName.ONE_CHANNEL, path, f"reached by {channels.pop()} only; add a second transport"
        if person.id not in paged:
            yield FindingName.NEVER_PAGED, path, "no policy ever pages this person; name them in a step, or remove them"
        if person.id in on_duty and not _can_reply(person, ward):
            message = "is on call but cannot answer a page by message; add a contact on a transport that brings replies"
            yield FindingName.CANNOT_REPLY, path, message


def _can_reply(person: Person, ward: Ward) -> bool:
    return any(ward.transports[contact.transport].two_way for contact in person.contacts)


def _all_targets(ward: Ward) -> Iterator[str]:
    yield from ward.fallback
    for policy in ward.policies.values():
        yield from policy.milestone_targets
        for step in policy.steps:
            yield from step.targets


def ever_meant(target: str, ward: Ward) -> set[str]:
    """Everybody whom a target could mean at some time; the caregiver is known to the course only."""
    kind, _, name = target.partition(":")
    if kind == "person":
        return {name}
    if kind == "all":
        return set(ward.teams[name])
    return ever_on_call(ward.schedules[name]) if kind == "schedule" else set()


def ever_on_call(schedule: Schedule) -> set[str]:
    """Everybody who could be on call in it at some time."""
    rotations = [layer.rotation for layer in schedule.layers]
    rotations += [schedule.rotation] if schedule.rotation else []
    calendar = schedule.calendar.people if schedule.calendar is not None else ()
    return {*calendar, *(shift.person for shift in schedule.overrides), *(one for turns in rotations for one in turns.people)}


def steps(loaded: LoadedWard, at: Instant) -> Found:
    """A step whose targets mean nobody for all of the 28 days is skipped each time."""
    for name, policy in loaded.ward.policies.items():
        for i, step in enumerate(policy.steps):
            if all(_means_nobody(target, loaded.ward, at) for target in step.targets):
                message = "pages nobody in the next 28 days and is skipped each time; mend the schedule, or add a person"
                yield FindingName.UNREACHABLE_STEP, ("policies", name, "steps", i), message


def _means_nobody(target: str, ward: Ward, at: Instant) -> bool:
    kind, _, name = target.partition(":")
    return kind == "schedule" and gaps(ward.schedules[name], at, at + LOOK_AHEAD_MS) == [(at, at + LOOK_AHEAD_MS)]


def policies(loaded: LoadedWard, _at: Instant) -> Found:
    """An escalation that only ever calls the same person is none; below medium, one step for one person may be meant so."""
    for name, policy in loaded.ward.policies.items():
        meant = [frozenset().union(*(ever_meant(target, loaded.ward) for target in step.targets)) for step in policy.steps]
        asked = {person for step in meant for person in step}
        if len(asked) == 1 and (name in MUST_NOT_END or len(meant) > 1):
            message = f"every step pages {asked.pop()} only, whoever does not answer; add a step for somebody else"
            yield FindingName.ONE_PERSON_ONLY, ("policies", name, "steps"), message
