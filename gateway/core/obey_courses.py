"""Commands about a course's beginning and end, its bags, pump, dose and cycles."""

import re

from gateway.core import bags, contacts, delivery
from gateway.core.care import CYCLES_MAX, Care, Cycle, Order
from gateway.core.context import Context
from gateway.core.done import Done, no, not_running, running, yes
from gateway.core.intake import SAME_BAG_MS
from gateway.core.state import Course, Delivery, Pump
from gateway.core.store import State
from gateway.core.texts import clock_time
from gateway.domain.care import ChangeDose, NextCycle, OrderBag, StartBreak, SwapPump
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import DAY_MS
from gateway.domain.words import DeliveryState
from rules.durations import say_ms
from rules.model import Protocol

COURSE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
DEVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
ORDER_AHEAD_MAX_MS = 60 * DAY_MS


def enrol(state: State, command: Enrol, now: Context) -> Done:
    """A course starts."""
    protocol = state.protocols.get(command.protocol)
    refusal = _enrol_refusal(state, command, protocol, now)
    if refusal or protocol is None:
        return no(refusal)
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
            dose_mcg_per_day=command.dose_mcg_per_day or _first_dose(protocol, command.cycle),
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
    return yes(f"{command.course} is watched: pump {command.pump}, {bags.words(bag, now)}", command.course)


def _enrol_refusal(state: State, command: Enrol, protocol: Protocol | None, now: Context) -> str:
    before = state.courses.get(command.course)
    if not COURSE_NAME.fullmatch(command.course) or command.course in state.sites:
        return (
            f"{command.course!r} cannot be a course: a pseudonym of letters, digits and hyphens, at most 32, not the ward's name"
        )
    if protocol is None:
        return f"no protocol {command.protocol!r}; loaded: {', '.join(sorted(state.protocols))}"
    if before is not None and before.ended_at is None:
        return f"{command.course} is enrolled already, on pump {before.pump}; end that course first"
    if command.cycle < 1:
        return "cycle counts from 1"
    dose = command.dose_mcg_per_day
    return (
        _pump_refusal(state, command.pump, command.course, now)
        or contacts.checklist_refusal(command, protocol, now)
        or contacts.refusal(command.course, command.caregiver, command.travel_minutes, now)
        or ("" if dose is None else _dose_refusal(protocol, dose))
        or bags.refusal(command, protocol, now)
    )


def _pump_refusal(state: State, name: str, course: str, now: Context) -> str:
    pump = state.pumps.get(f"{now.ward.site}/{name}")
    if not DEVICE_NAME.fullmatch(name):
        return f"{name!r} cannot be a pump: small letters, digits and hyphens, as in its MQTT topic"
    if pump is not None and pump.course and pump.course != course:
        return f"pump {name} serves {pump.course}; end that course first, or swap its pump"
    return ""


def _first_dose(protocol: Protocol, cycle: int) -> float | None:
    """The dose that a cycle begins with: steps are for the first cycle, later ones begin at the last step."""
    steps = protocol.dose_steps
    return (steps[0] if cycle == 1 else steps[-1]).mcg_per_day if steps else None


def _dose_refusal(protocol: Protocol, mcg_per_day: float) -> str:
    """Why this is no dose of the protocol. Where the protocol doses by body surface its figure is the cap."""
    steps = protocol.dose_steps
    fits = [s for s in steps if mcg_per_day == s.mcg_per_day or (s.mcg_per_m2_day and 0 < mcg_per_day < s.mcg_per_day)]
    if fits:
        return ""
    known = ", ".join(f"{step.mcg_per_day:g} from day {step.from_day}" for step in steps) or "none"
    return f"protocol {protocol.name} has no dose step of {mcg_per_day:g} mcg a day; its steps: {known}"


def hang(state: State, command: HangBag, now: Context) -> Done:
    """A new bag hangs."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    protocol = state.protocols.get(course.protocol)
    if protocol is None:
        return no(f"protocol {course.protocol!r} of {course.id} is not loaded any more; put it back into the ward file")
    if course.care.break_at is not None:
        return no(f"{course.id} is in its break since {clock_time(course.care.break_at, now)}; start the next cycle instead")
    refusal = bags.refusal(command, protocol, now)
    if refusal:
        return no(refusal)
    before, bag = course.bag, bags.hung(command, protocol.bags[command.bag], now)
    if before is not None and before.told_by == "pump" and abs(bag.hung_at - before.hung_at) <= SAME_BAG_MS:
        bag.planned_change_at += before.hung_at - bag.hung_at
        bag.hung_at, bag.told_by = before.hung_at, "both"
    elif before is not None and bag.hung_at < before.hung_at:
        return no(f"the present bag hangs since {clock_time(before.hung_at, now)}: a new one cannot have been hung before it")
    if bag.told_by != "both":
        bags.put_away(course, bag.hung_at)
    course.bag = bag
    if course.care.order is not None and course.care.order.bag == bag.kind:
        course.care.order = None
    return yes(f"{course.id}: {bags.words(bag, now)}", course.id)


def order(state: State, who: str, command: OrderBag, now: Context) -> Done:
    """The pharmacy makes a bag."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    if command.bag not in protocol.bags:
        return no(f"protocol {protocol.name} has no bag {command.bag!r}; it has: {', '.join(protocol.bags)}")
    if command.ready_at < now.at:
        return no("the bag cannot be ready in the past: give the time that the pharmacy promised")
    if command.ready_at > now.at + ORDER_AHEAD_MAX_MS:
        return no("that is more than 60 days ahead: check the date")
    replaced = " instead of the one ordered before" if course.care.order is not None else ""
    course.care.order = Order(command.bag, who, now.at, command.ready_at)
    late = ""
    if course.bag is not None and command.ready_at > course.bag.planned_change_at:
        late = f", AFTER the planned change at {clock_time(course.bag.planned_change_at, now)}"
    return yes(f"{course.id}: {command.bag} bag ordered{replaced}, ready {clock_time(command.ready_at, now)}{late}", course.id)


def change_dose(state: State, command: ChangeDose, now: Context) -> Done:
    """Another dose step, not before its day."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    refusal = _dose_refusal(protocol, command.mcg_per_day)
    if refusal:
        return no(refusal)
    before = course.care.dose_mcg_per_day
    if command.mcg_per_day == before:
        return no(f"{course.id} has {before:g} mcg a day already")
    infused = delivery.infusion_days(course, now.at)
    day = min((s.from_day for s in protocol.dose_steps if command.mcg_per_day <= s.mcg_per_day), default=1)
    if course.cycle == 1 and infused < day - 1 and not command.override_reason.strip():
        return no(
            f"{command.mcg_per_day:g} mcg a day is for day {day} and after: {course.id} has infused {infused:.1f} of {day - 1} "
            "days; wait, or give a reason to override"
        )
    course.care.dose_mcg_per_day = command.mcg_per_day
    was = "" if before is None else f", {before:g} before"
    return yes(f"{course.id}: {command.mcg_per_day:g} mcg a day from now on{was}; the next bag must be of that dose", course.id)


def swap_pump(state: State, command: SwapPump, now: Context) -> Done:
    """Another pump takes over: what was judged stays so until the new one speaks; the old one serves nobody."""
    course = running(state, command.course)
    if course is None:
        return no(not_running(state, command.course, now))
    if course.care.break_at is not None:
        return no(f"{course.id} is in its break and has no pump; the next cycle names one")
    if command.pump == course.pump:
        return no(f"{course.id} is on pump {course.pump} already")
    refusal = _pump_refusal(state, command.pump, course.id, now)
    if refusal:
        return no(refusal)
    old = state.pump_of(course)
    _free(state, course)
    course.pump, course.care.paired_at = command.pump, now.at
    _take_over(state.pump_of(course), course)
    return yes(f"{course.id}: pump {command.pump} has taken over from {old.device}; {old.device} serves nobody now", course.id)


def _take_over(pump: Pump, course: Course) -> None:
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
        return yes(f"{course.id} has ended", course.id)
    _free(state, course)
    return yes(f"{course.id} has ended; pump {course.pump} is free", course.id)


def _free(state: State, course: Course) -> None:
    """The pump serves nobody; what it showed has been dealt with, and only news of it matter from now on."""
    pump = state.pump_of(course)
    if pump.course == course.id:
        pump.course = ""
        pump.conditions.clear()


def start_break(state: State, command: StartBreak, now: Context) -> Done:
    """The cycle's infusion days are over: nothing is expected until the next cycle, and the pump is free."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    care = course.care
    if care.break_at is not None:
        return no(f"{course.id} is in its break since {clock_time(care.break_at, now)}")
    infused = delivery.infusion_days(course, now.at)
    if infused < protocol.infusion_days and not command.reason.strip():
        left = say_ms(round((protocol.infusion_days - infused) * DAY_MS))
        return no(
            f"{course.id} has infused {infused:.1f} of {protocol.infusion_days} days ({left} to go): "
            "go on, or give the reason for ending this cycle now"
        )
    _free(state, course)
    bags.put_away(course, now.at)
    care.break_at, care.window, care.silences, course.bag = now.at, None, (), None
    until = clock_time(now.at + protocol.break_days * DAY_MS, now)
    said = f"cycle {course.cycle} over after {infused:.1f} infusion days; break until {until}; pump {course.pump} is free"
    return yes(f"{course.id}: {said}", course.id)


def next_cycle(state: State, command: NextCycle, now: Context) -> Done:
    """The break is over: the next cycle begins with this bag, on the same pump or another."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    care, pump_name = course.care, command.pump or course.pump
    if care.break_at is None:
        return no(f"{course.id} is in cycle {course.cycle}; start its break first")
    over_at = care.break_at + protocol.break_days * DAY_MS
    if now.at < over_at and not command.override_reason.strip():
        return no(f"the break of {course.id} lasts until {clock_time(over_at, now)}; wait, or give a reason to override")
    refusal = _pump_refusal(state, pump_name, course.id, now) or bags.refusal(command, protocol, now)
    if refusal:
        return no(refusal)
    _close_cycle(course, now)
    course.cycle, course.pump = course.cycle + 1, pump_name
    course.bag = bags.hung(command, protocol.bags[command.bag], now)
    care.break_at, care.expected_from, care.paired_at, care.cycle_started_at = None, now.at, now.at, now.at
    care.dose_mcg_per_day = _first_dose(protocol, course.cycle)
    _take_over(state.pump_of(course), course)
    return yes(f"{course.id}: cycle {course.cycle} on pump {pump_name}, {bags.words(course.bag, now)}", course.id)


def _close_cycle(course: Course, now: Context) -> None:
    """Keep the cycle's sums, and judge the next one from nothing."""
    care, judged = course.care, course.delivery
    started_at, ended_at = care.cycle_started_at or course.enrolled_at, care.break_at or now.at
    infused_ms = delivery.infused_ms(course, now.at)
    over = Cycle(course.cycle, started_at, ended_at, infused_ms, judged.interrupted_ms, judged.unknown_ms)
    care.cycles = (*care.cycles, over)[-CYCLES_MAX:]
    course.delivery = Delivery(state=DeliveryState.NOT_EXPECTED, since=judged.since, cause=judged.cause)
