"""Small simulated worlds for the tests of the study: homes that live by themselves, and results made by hand."""

from dataclasses import replace

from gateway.config.load import load_ward_mapping
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import Priority, WhyPaged
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.home import Home
from gateway.scenario.patients import patient, place_of, start_of
from gateway.scenario.places import Place
from gateway.scenario.study import Lived, PatientResult, Sent, monday
from gateway.scenario.study_ward import WARD
from gateway.scenario.truth import Cause, TrueInterruption
from rules.loader import load_protocol, shipped_text

HOURLY = replace(Assumptions(), report_s=3_600.0)
NOTHING_HAPPENS = replace(
    HOURLY,
    transient_per_day=(0.0, 0.0),
    technical_per_bag=0.0,
    stop_per_week=0.0,
    unplug_per_day=0.0,
    died_per_cycle=0.0,
    gaps_per_day=0.0,
    outages_per_cycle=0.0,
    primed_ml=(4.0, 4.1),
    accuracy_deviation=0.001,
    accuracy_most=0.002,
)
BEGAN = 1_772_431_380_000


def place(assumed: Assumptions = HOURLY, seed: int = 1) -> Place:
    """The study's own ward."""
    loaded = load_ward_mapping(WARD, "study")
    return place_of(loaded, load_protocol(shipped_text("blinatumomab_home"), "blinatumomab_home"), assumed, seed)


def lived(number: int, assumed: Assumptions = HOURLY, seed: int = 1) -> tuple[Home, list]:
    """A home that nobody watches, after its cycle, and everything that came of it."""
    where = place(assumed, seed)
    home = patient(where, number, start_of(where, number, monday("Asia/Hong_Kong")))
    deeds = []
    while (next_at := home.next_at) is not None:
        deeds += home.due(next_at)
    return home, deeds


def stop(since_min: float, length_min: float, cause: Cause = Cause.AIR, sign_min: float | None = 0.0) -> TrueInterruption:
    """An interruption, in minutes from the beginning; `sign_min` from its own start."""
    since = BEGAN + round(since_min * MINUTE_MS)
    until = since + round(length_min * MINUTE_MS)
    return TrueInterruption(since, until, cause, None if sign_min is None else since + round(sign_min * MINUTE_MS), until)


def told(at_min: float, incident: str = "S-001@5", contact: int = 0, **changes) -> Sent:
    """A message, in minutes from the beginning."""
    sent = Sent(
        at=BEGAN + round(at_min * MINUTE_MS),
        page=f"{incident}/r1/nurse-a",
        incident=incident,
        person="nurse-a",
        transport=("sms", "voice")[contact],
        priority=Priority.HIGH,
        why=WhyPaged.OPENED,
        about=("delivery-interrupted",),
        acts=True,
    )
    return replace(sent, **changes)


def result(*interruptions: TrueInterruption, sent: tuple[Sent, ...] = (), alarms_min: tuple[float, ...] = (), **more):
    """One patient's week."""
    return PatientResult(
        course="S-001",
        since=BEGAN,
        until=BEGAN + 7 * 24 * 60 * MINUTE_MS,
        interruptions=list(interruptions),
        bags=more.get("bags", []),
        losses=[(BEGAN + round(a * MINUTE_MS), BEGAN + round(b * MINUTE_MS)) for a, b in more.get("losses_min", ())],
        happened=more.get("happened", {}),
        delivered_ml=100.0,
        sent=list(sent),
        alarms_at=[BEGAN + round(at * MINUTE_MS) for at in alarms_min],
        incidents=[Lived(*span) for span in more.get("incidents", ())],
        forecasts=more.get("forecasts", {}),
    )
