"""What the simulated homes are assumed to be like: every number with its unit and where it comes from.

`[V]` read in the named source, `[C]` computed from it, `[J]` our own judgement. `docs/simulation.md` shows the same table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

# What a pump's alarm is about; shares of all transient alarms.
MIX = {"air": 0.45, "occlusion": 0.30, "door": 0.10, "reservoir-low": 0.10, "other": 0.05}
# What needs a nurse's hands.
TECHNICAL_MIX = {"air": 0.40, "occlusion": 0.30, "cassette": 0.20, "system-fault": 0.10}


def _from(source: str, value: Any) -> Any:
    """A number with its source."""
    if isinstance(value, dict):
        return field(default_factory=lambda: dict(value), metadata={"source": source})
    return field(default=value, metadata={"source": source})


_VITOUX = "Vitoux 2018 (60 % of alarms cleared in 1:08, mean 2:38) and Yu 2021 (8 % take over 4 min), slower at home [J]"
_LOW_FLOW = "volume behind an occlusion alarm at low flow: Dönmez 2005, Snijder 2015 and a CRONO manual [V], 0.4-0.98 mL [C]"
_ACCURACY = "CADD-Solis manual v4, ±6 % nominal [V]; that ±6 % are two deviations [J]"
_PRIMING = "about 9 mL of a 7-day bag are there for priming (MIMS Hong Kong interview, 2025 [V]); what it really takes [J]"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Rates, lengths and shares; units end the names. `_spread` is the deviation of a lognormal length's logarithm."""

    # ---- the course
    cycle_days: float = _from("label: 28 days on [V]", 28.0)
    bag: str = _from("seven-day bags at 0.6 mL/h [V]", "7-day")
    change_days: float = _from("a bag is changed after seven days [V]", 7.0)
    change_late_deviation_min: float = _from("a nurse's round is not a railway [J]", 30.0)
    change_stop_min: tuple[float, float] = _from("the pump stands while the line is changed [J]", (5.0, 15.0))
    change_recorded_min: tuple[float, float] = _from("a nurse records the bag a little later [J]", (1.0, 5.0))
    primed_ml: tuple[float, float] = _from(_PRIMING, (4.0, 9.0))
    primed_off_deviation_ml: float = _from("recorded against really primed [J]", 0.5)
    accuracy_deviation: float = _from(_ACCURACY, 0.03)
    accuracy_most: float = _from("CADD-Solis manual v4, nominal [V]", 0.06)

    # ---- alarms
    transient_per_day: tuple[float, float] = _from("hospitals: up to 1.7 a day [C]; homes [J]; drawn once a home", (0.1, 0.3))
    transient_mix: Mapping[str, float] = _from("Fonzo-Christe 2020 and the Hong Kong programme (air) [V], weighed [J]", MIX)
    busy_times: float = _from("five to ten times as many at the ends of a bag [J]", 7.5)
    busy_before_change_h: float = _from("the last hours of a bag [J]", 12.0)
    busy_after_change_min: float = _from("the first minutes of a bag [J]", 30.0)
    clear_day_min: float = _from(_VITOUX, 2.0)
    clear_night_min: float = _from("asleep [J]", 10.0)
    clear_over_half_hour: float = _from("share that takes over 30 min: 8 to 10 % [J]", 0.09)
    occlusion_ml: tuple[float, float] = _from(_LOW_FLOW, (0.4, 0.98))
    technical_per_bag: float = _from("Children's Health Dallas 2024: 32 events in 237 bag changes [V]", 0.14)
    technical_off_hours_times: float = _from("most of them off hours (Dallas [V]): weight [J]", 1.5)
    technical_mix: Mapping[str, float] = _from("air and tubing (Hong Kong, Dallas [V]): shares [J]", TECHNICAL_MIX)

    # ---- people and power
    stop_per_week: float = _from("stopped by hand, for a shower or a dressing [J]", 0.5)
    stop_min: float = _from("median of such a stop [J]", 5.0)
    stop_spread: float = _from("[J]", 0.7)
    stop_forgotten: float = _from("share that nobody starts again [J]", 0.2)
    stop_reminder_min: float = _from("a pump left stopped complains (Zyno MIVA: UNATTENDED [V]); after [J]", 10.0)
    unaided_min: float = _from("median until a home rings the ward by itself [J]", 240.0)
    unaided_spread: float = _from("[J]", 0.5)
    unplug_per_day: float = _from("walks, by day [J]", 1.2)
    unplug_min: float = _from("median [J]", 120.0)
    unplug_spread: float = _from("[J]", 0.7)
    unplug_forgotten: float = _from("share that nobody plugs in again [J]", 0.05)
    charge_percent_h: float = _from("no vendor figure found [J]", 25.0)
    battery_low_percent: float = _from("when the pump complains [J]", 15.0)
    battery_low_slept_through: float = _from("share of such alarms at night that nobody hears [J]", 0.5)
    died_per_cycle: float = _from("pumps that die without a word, in 28 days [J]", 0.03)

    # ---- the way to the broker
    report_s: float = _from("a bridge reports every minute [J]", 60.0)
    gaps_per_day: float = _from("several short Wi-Fi gaps daily [J]", 4.0)
    gap_min: float = _from("median of a gap [J]", 1.5)
    gap_spread: float = _from("[J]", 1.0)
    outages_per_cycle: float = _from("multi-hour outages in 28 days; a shorter course has its share of them [J]", 1.0)
    outage_h: tuple[float, float] = _from("[J]", (2.0, 8.0))
    will_s: float = _from("a broker notices after 1.5 keepalives of 60 s (MQTT 3.1.1 [V])", 90.0)
    repeated: float = _from("share of messages that come twice [J]", 0.01)
    late: float = _from("share that others overtake [J]", 0.01)
    late_s: tuple[float, float] = _from("[J]", (1.0, 20.0))

    # ---- the team
    ack_min: float = _from("median until a nurse who noticed a page takes it [J]", 3.0)
    ack_spread: float = _from("[J]", 0.7)
    page_missed: float = _from("share of pages that nobody notices [J]", 0.1)
    call_min: tuple[float, float] = _from("from taking it to ringing the home [J]", (1.0, 5.0))
    call_unanswered: float = _from("[J]", 0.15)
    call_again_min: float = _from("[J]", 10.0)
    hands_on_min: tuple[float, float] = _from("how long the home needs, with the nurse on the phone [J]", (3.0, 12.0))
    visit_min: tuple[float, float] = _from("to get there, or to bring the patient in, with what is needed [J]", (60.0, 180.0))
    router_helps: float = _from("share of outages that switching the router off and on ends [J]", 0.3)
    router_min: tuple[float, float] = _from("[J]", (5.0, 15.0))
    window_opened: float = _from("share of bag changes at which the nurse opens a planned window first [J]", 0.9)
    window_min: float = _from("for how long; closed when the bag is recorded [J]", 30.0)
    planned_by_forecast: float = _from("share of changes that the ward plans by the forecast of the day before [J]", 0.9)

    # ---- the day
    night_from_h: int = _from("[J]", 22)
    night_until_h: int = _from("[J]", 7)
    office_from_h: int = _from("office hours, Monday to Friday [J]", 8)
    office_until_h: int = _from("[J]", 18)


def table() -> list[tuple[str, str, str]]:
    """(name, value, source) of every assumption, in order."""
    shipped = Assumptions()
    return [(item.name, value_words(getattr(shipped, item.name)), str(item.metadata["source"])) for item in fields(Assumptions)]


def value_words(value: object) -> str:
    """A value as people read it: `4 to 9`, `air 45 %, …`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in value.items())
    if isinstance(value, tuple):
        return " to ".join(f"{bound:g}" for bound in value)
    return f"{value:g}" if isinstance(value, float | int) else str(value)
