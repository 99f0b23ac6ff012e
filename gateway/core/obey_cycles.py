"""Commands about a course's cycles: the break that ends one, and the bag that begins the next."""

from gateway.core import bags, delivery
from gateway.core.care import CYCLES_MAX, Cycle
from gateway.core.context import Context
from gateway.core.done import Done, length, moment, no, not_running, running, yes
from gateway.core.obey_courses import first_dose, free, pump_refusal, take_over
from gateway.core.state import Course, Delivery
from gateway.core.store import State
from gateway.domain.care import NextCycle, StartBreak
from gateway.domain.instants import DAY_MS
from gateway.domain.sentences import sentence
from gateway.domain.words import DeliveryState


def start_break(state: State, command: StartBreak, now: Context) -> Done:
    """The cycle's infusion days are over: nothing is expected until the next cycle, and the pump is free."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    care = course.care
    if care.break_at is not None:
        return no(sentence("{course} is in its break since {at}", course=course.id, at=moment(care.break_at, now)))
    infused = delivery.infusion_days(course, now.at)
    if infused < protocol.infusion_days and not command.reason.strip():
        refused = sentence(
            "{course} has infused {infused:.1f} of {days} days ({left} to go): "
            "go on, or give the reason for ending this cycle now",
            course=course.id,
            infused=infused,
            days=protocol.infusion_days,
            left=length(round((protocol.infusion_days - infused) * DAY_MS)),
        )
        return no(refused)
    free(state, course)
    bags.put_away(course, now.at)
    care.break_at, care.window, care.silences, course.bag = now.at, None, (), None
    said = sentence(
        "{course}: cycle {n} over after {infused:.1f} infusion days; break until {until}; pump {pump} is free",
        course=course.id,
        n=course.cycle,
        infused=infused,
        until=moment(now.at + protocol.break_days * DAY_MS, now),
        pump=course.pump,
    )
    return yes(said, course.id)


def next_cycle(state: State, command: NextCycle, now: Context) -> Done:
    """The break is over: the next cycle begins with this bag, on the same pump or another."""
    course = running(state, command.course)
    protocol = state.protocols.get(course.protocol) if course is not None else None
    if course is None or protocol is None:
        return no(not_running(state, command.course, now))
    care, pump_name = course.care, command.pump or course.pump
    if care.break_at is None:
        return no(sentence("{course} is in cycle {n}; start its break first", course=course.id, n=course.cycle))
    over_at = care.break_at + protocol.break_days * DAY_MS
    if now.at < over_at and not command.override_reason.strip():
        until = moment(over_at, now)
        return no(
            sentence(
                "the break of {course} lasts until {until}; wait, or give a reason to override", course=course.id, until=until
            )
        )
    refusal = pump_refusal(state, pump_name, course.id, now) or bags.refusal(command, protocol, now)
    if refusal is not None:
        return no(refusal)
    _close_cycle(course, now)
    course.cycle, course.pump = course.cycle + 1, pump_name
    course.bag = bags.hung(command, protocol.bags[command.bag], now)
    care.break_at, care.expected_from, care.paired_at, care.cycle_started_at = None, now.at, now.at, now.at
    care.dose_mcg_per_day = first_dose(protocol, course.cycle)
    take_over(state.pump_of(course), course)
    words = bags.words(course.bag, now)
    said = sentence("{course}: cycle {n} on pump {pump}, {bag}", course=course.id, n=course.cycle, pump=pump_name, bag=words)
    return yes(said, course.id)


def _close_cycle(course: Course, now: Context) -> None:
    """Keep the cycle's sums, and judge the next one from nothing."""
    care, judged = course.care, course.delivery
    started_at, ended_at = care.cycle_started_at or course.enrolled_at, care.break_at or now.at
    infused_ms = delivery.infused_ms(course, now.at)
    over = Cycle(course.cycle, started_at, ended_at, infused_ms, judged.interrupted_ms, judged.unknown_ms)
    care.cycles = (*care.cycles, over)[-CYCLES_MAX:]
    course.delivery = Delivery(state=DeliveryState.NOT_EXPECTED, since=judged.since, cause=judged.cause)
