"""Commands about a course's beginning and end, its bags, pump and dose."""

import re

from gateway.core import bags, contacts, delivery
from gateway.core.care import Care, Order
from gateway.core.context import Context
from gateway.core.done import Done, moment, no, not_running, running, yes
from gateway.core.intake import SAME_BAG_MS
from gateway.core.state import Course, Pump
from gateway.core.store import State
from gateway.domain.care import ChangeDose, OrderBag, SwapPump
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS
from gateway.domain.sentences import Sentence, sentence
from rules.model import Protocol

COURSE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
DEVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
ORDER_AHEAD_MAX_MS = 60 * DAY_MS


def enrol(state: State, command: Enrol, now: Context) -> Done:
    """A course starts."""
    protocol = state.protocols.get(command.protocol)
    refusal = _enrol_refusal(state, command, protocol, now)
    if refusal is not None or protocol is None:
        return no(refusal or _no_protocol(state, command.protocol))
    bag = bags.hung(command, protocol.bags[command.bag], now)
    pump = state.pump(now.ward.site, command.pump)
    course = Course(
        id=command.course,
        site=now.ward.site,
        protocol=command.protocol,
        pump=command.pump,
        cycle=command.cycle,
        enrolled_at=now.at,
        bag=bag,
        care=Care(
            caregiver=command.caregiver,
            ward_contact=command.ward_contact,
            travel_minutes=command.travel_minutes,
            checklist=command.checklist,
            override_reason=command.override_reason,
            dose_mcg_per_day=command.dose_mcg_per_day or first_dose(protocol, command.cycle),
            cycle_started_at=now.at,
        ),
    )
    before = state.courses.get(command.course)
    if before is not None:
        course.open, course.closed = before.open, before.closed
        course.enrolment = before.enrolment + 1
    state.add_course(course)
    pump.course, pump.bench = command.course, None
    contacts.forget_stop(command.course, now)
    words = bags.words(bag, now)
    said = sentence("{course} is watched: pump {pump}, {bag}", course=command.course, pump=command.pump, bag=words)
    return yes(said, command.course)


def _enrol_refusal(state: State, command: Enrol, protocol: Protocol | None, now: Context) -> Sentence | None:
    before = state.courses.get(command.course)
    if not COURSE_NAME.fullmatch(command.course) or command.course in state.sites:
        return sentence(
            "{course!r} cannot be a course: a pseudonym of letters, digits and hyphens, at most 32, not the ward's name",
            course=command.course,
        )
    if protocol is None:
        return _no_protocol(state, command.protocol)
    if before is not None and before.ended_at is None:
        return sentence(
            "{course} is enrolled already, on pump {pump}; end that course first", course=command.course, pump=before.pump
        )
    if command.cycle < 1:
        return sentence("cycle counts from 1")
    dose = command.dose_mcg_per_day
    return (
        pump_refusal(state, command.pump, command.course, now)
        or contacts.checklist_refusal(command, protocol, now)
        or contacts.refusal(command.course, command.caregiver, command.travel_minutes, now)
        or (None if dose is None else _dose_refusal(protocol, dose))
        or bags.refusal(command, protocol, now)
    )


def _no_protocol(state: State, name: str) -> Sentence:
    return sentence("no protocol {name!r}; loaded: {known}", name=name, known=tuple(sorted(state.protocols)))


def no_pump_name(name: str) -> Sentence:
    """Why no pump can be called that."""
    return sentence("{name!r} cannot be a pump: small letters, digits and hyphens, as in its MQTT topic", name=name)


def pump_refusal(state: State, name: str, course: str, now: Context) -> Sentence | None:
    """Why this pump cannot serve the course; None when it can."""
    pump = state.pumps.get(f"{now.ward.site}/{name}")
    if not DEVICE_NAME.fullmatch(name):
        return no_pump_name(name)
    if pump is not None and pump.course and pump.course != course:
        return sentence("pump {pump} serves {course}; end that course first, or swap its pump", pump=name, course=pump.course)
    return None


def first_dose(protocol: Protocol, cycle: int) -> float | None:
    """The dose that a cycle begins with: steps are for the first cycle, later ones begin at the last step."""
    steps = protocol.dose_steps
    return (steps[0] if cycle == 1 else steps[-1]).mcg_per_day if steps else None


def _dose_refusal(protocol: Protocol, mcg_per_day: float) -> Sentence | None:
    """Why this is no dose of the protocol. Where the protocol doses by body surface its figure is the cap."""
    steps = protocol.dose_steps
    fits = [s for s in steps if mcg_per_day == s.mcg_per_day or (s.mcg_per_m2_day and 0 < mcg_per_day < s.mcg_per_day)]
    if fits:
        return None
    known = tuple(sentence("{mcg:g} from day {day}", mcg=step.mcg_per_day, day=step.from_day) for step in steps)
    return sentence(
        "protocol {protocol} has no dose step of {mcg:g} mcg a day; its steps: {known}",
        protocol=protocol.name,
        mcg=mcg_per_day,
        known=known or sentence("none"),
    )


def hang(state: State, command: HangBag, now: Context) -> Done:
    """A new bag hangs."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    protocol = state.protocols.get(course.protocol)
    if protocol is None:
        lost = sentence(
            "protocol {protocol!r} of {course} is not loaded any more; put it back into the ward file",
            protocol=course.protocol,
            course=course.id,
        )
        return no(lost)
    if course.care.break_at is not None:
        at = moment(course.care.break_at, now)
        return no(sentence("{course} is in its break since {at}; start the next cycle instead", course=course.id, at=at))
    refusal = bags.refusal(command, protocol, now)
    if refusal is not None:
        return no(refusal)
    before, bag = course.bag, bags.hung(command, protocol.bags[command.bag], now)
    if before is not None and before.told_by == "pump" and abs(bag.hung_at - before.hung_at) <= SAME_BAG_MS:
        bag.planned_change_at += before.hung_at - bag.hung_at
        bag.hung_at, bag.told_by = before.hung_at, "both"
    elif before is not None and bag.hung_at < before.hung_at:
        at = moment(before.hung_at, now)
        return no(sentence("the present bag hangs since {at}: a new one cannot have been hung before it", at=at))
    if bag.told_by != "both":
        bags.put_away(course, bag.hung_at)
    course.bag = bag
    if course.care.order is not None and course.care.order.bag == bag.kind:
        course.care.order = None
    return yes(sentence("{course}: {bag}", course=course.id, bag=bags.words(bag, now)), course.id)


def order(state: State, who: str, command: OrderBag, now: Context) -> Done:
    """The pharmacy makes a bag."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    if command.bag not in protocol.bags:
        return no(bags.no_such(command.bag, protocol))
    if command.ready_at < now.at:
        return no(sentence("the bag cannot be ready in the past: give the time that the pharmacy promised"))
    if command.ready_at > now.at + ORDER_AHEAD_MAX_MS:
        return no(sentence("that is more than 60 days ahead: check the date"))
    replaced = sentence(" instead of the one ordered before") if course.care.order is not None else ""
    course.care.order = Order(command.bag, who, now.at, command.ready_at)
    late: Sentence | str = ""
    if course.bag is not None and command.ready_at > course.bag.planned_change_at:
        late = sentence(", AFTER the planned change at {at}", at=moment(course.bag.planned_change_at, now))
    said = sentence(
        "{course}: {kind} bag ordered{replaced}, ready {ready}{late}",
        course=course.id,
        kind=command.bag,
        replaced=replaced,
        ready=moment(command.ready_at, now),
        late=late,
    )
    return yes(said, course.id)


def change_dose(state: State, command: ChangeDose, now: Context) -> Done:
    """Another dose step, not before its day."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    refusal = _dose_refusal(protocol, command.mcg_per_day)
    if refusal is not None:
        return no(refusal)
    before = course.care.dose_mcg_per_day
    if command.mcg_per_day == before:
        return no(sentence("{course} has {mcg:g} mcg a day already", course=course.id, mcg=command.mcg_per_day))
    infused = delivery.infusion_days(course, now.at)
    day = min((s.from_day for s in protocol.dose_steps if command.mcg_per_day <= s.mcg_per_day), default=1)
    if course.cycle == 1 and infused < day - 1 and not command.override_reason.strip():
        refused = sentence(
            "{mcg:g} mcg a day is for day {day} and after: {course} has infused {infused:.1f} of {days} "
            "days; wait, or give a reason to override",
            mcg=command.mcg_per_day,
            day=day,
            course=course.id,
            infused=infused,
            days=day - 1,
        )
        return no(refused)
    course.care.dose_mcg_per_day = command.mcg_per_day
    said = sentence(
        "{course}: {mcg:g} mcg a day from now on{was}; the next bag must be of that dose",
        course=course.id,
        mcg=command.mcg_per_day,
        was="" if before is None else sentence(", {mcg:g} before", mcg=before),
    )
    return yes(said, course.id)


def swap_pump(state: State, command: SwapPump, now: Context) -> Done:
    """Another pump takes over: what was judged stays so until the new one speaks; the old one serves nobody."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    if course.care.break_at is not None:
        return no(sentence("{course} is in its break and has no pump; the next cycle names one", course=course.id))
    if command.pump == course.pump:
        return no(sentence("{course} is on pump {pump} already", course=course.id, pump=course.pump))
    refusal = pump_refusal(state, command.pump, course.id, now)
    if refusal is not None:
        return no(refusal)
    old = state.pump_of(course)
    free(state, course)
    course.pump, course.care.paired_at = command.pump, now.at
    take_over(state.pump_of(course), course)
    said = sentence(
        "{course}: pump {pump} has taken over from {old}; {old} serves nobody now",
        course=course.id,
        pump=command.pump,
        old=old.device,
    )
    return yes(said, course.id)


def take_over(pump: Pump, course: Course) -> None:
    """The pump serves this course; what it showed for somebody else is over."""
    pump.course, pump.bench, pump.judged_from = course.id, None, 0
    pump.conditions.clear()


def end(state: State, command: EndCourse, now: Context) -> Done:
    """The course is over."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    course.ended_at, course.care.window, course.care.silences = now.at, None, ()
    if course.care.break_at is not None:
        return yes(sentence("{course} has ended", course=course.id), course.id)
    free(state, course)
    return yes(sentence("{course} has ended; pump {pump} is free", course=course.id, pump=course.pump), course.id)


def free(state: State, course: Course) -> None:
    """The pump serves nobody; what it showed has been dealt with, and only news of it matter from now on."""
    pump = state.pump_of(course)
    if pump.course == course.id:
        pump.course = ""
        pump.conditions.clear()
