import json

import pytest

from gateway.core.forecast import BagForecast
from gateway.domain.instants import HOUR_MS, MINUTE_MS
from gateway.domain.words import Priority, WhyPaged
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.local_time import LocalTime
from gateway.scenario.study import Study
from gateway.scenario.study_report import quantile, report
from gateway.scenario.study_text import table
from gateway.scenario.study_ward import shipped_plan
from gateway.scenario.truth import Cause, TrueBag
from gateway.scenario.verdicts import Verdict, baseline, baseline_pages, dripwatch, wrong_at
from tests.unit.scenario.study_worlds import BEGAN, result, stop, told


def verdicts(patient):
    """What became of each interruption that matters."""
    return [found.verdict for found in dripwatch(patient)]


def counted(*patients):
    """The report of these results."""
    study = Study(shipped_plan(len(patients), 1), tuple(patients), "digest", 1_000, ())
    return report(study, LocalTime("Asia/Hong_Kong", Assumptions()))


@pytest.mark.parametrize(
    ("interruption", "paged_min", "expected"),
    [
        (stop(10, 29.9), None, []),  # shorter ones need nobody
        (stop(10, 30), 40, [Verdict.IN_TIME]),
        (stop(10, 90), 70, [Verdict.IN_TIME]),  # when 60 min of it have passed
        (stop(10, 90), 70.1, [Verdict.LATE]),
        (stop(10, 30), 69, [Verdict.IN_TIME]),  # told afterwards, and still within the hour
        (stop(10, 90), 159, [Verdict.LATE]),
        (stop(10, 90), 161, [Verdict.MISSED]),  # that page tells of something else
        (stop(10, 90), None, [Verdict.MISSED]),
        (stop(10, 60), None, [Verdict.OVER]),
        (stop(10, 60), 75, [Verdict.OVER]),  # that page is about something else
        (stop(10, 90), 9, [Verdict.MISSED]),  # before it began
        (stop(0, 100, Cause.OCCLUSION, 60), 65, [Verdict.IN_TIME]),
        (stop(0, 100, Cause.OCCLUSION, 60), 65.1, [Verdict.LATE]),
        (stop(0, 64, Cause.OCCLUSION, 60), None, [Verdict.OVER]),
        (stop(0, 66, Cause.OCCLUSION, 60), None, [Verdict.MISSED]),
        (stop(0, 50, Cause.OCCLUSION, None), None, [Verdict.NO_SIGN]),  # the pump never knew
        (stop(0, 50, Cause.OCCLUSION, 50), None, [Verdict.NO_SIGN]),  # it learnt of it when it was over
        (stop(0, 50, Cause.OCCLUSION, 49.9), None, [Verdict.OVER]),
    ],
)
def test_what_becomes_of_an_interruption(interruption, paged_min, expected):
    """In time, late, over before it was due, missed: to the minute."""
    sent = () if paged_min is None else (told(paged_min),)
    assert verdicts(result(interruption, sent=sent)) == expected


def test_a_page_that_asks_for_nothing_finds_nothing():
    """An ending, or a low errand, tells nobody that delivery has stopped."""
    ending = told(20, why=WhyPaged.RESOLVED, acts=False)
    errand = told(21, priority=Priority.LOW, acts=False)
    assert verdicts(result(stop(10, 90), sent=(ending, errand))) == [Verdict.MISSED]


def test_an_incident_that_is_open_already_counts_and_is_counted_apart():
    """Who was paged about this home, and has not seen it well, needs no second page to look; the table says how often."""
    before = told(5, incident="S-001@9")
    patient = result(stop(10, 90), sent=(before,), incidents=[("S-001@9", BEGAN, BEGAN + HOUR_MS)])
    [found] = dripwatch(patient)
    assert (found.verdict, found.already, found.first_at) == (Verdict.IN_TIME, True, None)
    closed = result(stop(10, 90), sent=(before,), incidents=[("S-001@9", BEGAN, BEGAN + 9 * MINUTE_MS)])
    assert verdicts(closed) == [Verdict.MISSED]


def test_a_home_that_cannot_be_heard_is_told_of_when_it_is_back():
    """A page within the hour after the link is back belongs to the interruption that ended in the dark."""
    item = stop(10, 90)
    dark = result(type(item)(item.since, item.until, item.cause, item.first_sign_at, item.until + 3 * HOUR_MS), sent=(told(300),))
    [found] = dripwatch(dark)
    assert (found.verdict, found.first_at) == (Verdict.LATE, BEGAN + 300 * MINUTE_MS)


def test_the_baseline_pages_for_every_alarm_and_every_loss_of_five_minutes():
    """One page each, when the alarm reaches the gateway, or when the pump could not be heard for five minutes."""
    patient = result(alarms_min=(30, 10), losses_min=((50, 54.9), (60, 65), (70, 75.1)))
    assert [(at - BEGAN) / MINUTE_MS for at in baseline_pages(patient)] == [10, 30, 75]


def test_the_baseline_is_blind_where_the_pump_says_nothing():
    """A stop by hand without an alarm is missed by it; one with an alarm is found at once."""
    found = baseline(result(stop(10, 90), stop(200, 90), alarms_min=(200,)))
    assert [item.verdict for item in found] == [Verdict.MISSED, Verdict.IN_TIME]


def test_the_table_counts_what_was_sent():
    """A page that went to two contacts is one page and two messages; an ending is neither; off hours are counted."""
    sent = (
        told(12),
        told(14, contact=1),
        told(15, page="S-001@5/r2/nurse-a"),
        told(90, page="e", why=WhyPaged.RESOLVED, acts=False),
    )
    late = told(500, incident="S-001@9")  # 22:20 in Hong Kong
    counts = counted(result(stop(10, 40), stop(400, 101), sent=(*sent, late), alarms_min=(10, 20, 30, 40, 50)))
    ours, theirs = counts.ours, counts.theirs
    assert (ours.pages, ours.messages, ours.endings, ours.pages_per_patient_week) == (3, 5, 1, 3.0)
    assert (theirs.pages, theirs.messages, theirs.pages_per_patient_week) == (5, 5, 5.0)
    assert ours.off_hours_share == 0.333
    assert (ours.interruptions, ours.in_time, ours.late, ours.over, ours.missed) == (2, 1, 1, 0, 0)
    assert (ours.to_page_median_min, ours.to_page_p95_min) == (2.0, 100.0)
    assert counts.by_reason == {"opened: delivery-interrupted": 3}
    assert counts.by_truth == {"air, half an hour or more": 2}
    assert counts.by_rule == {"delivery-interrupted": 3}
    assert counts.by_cause["air"] == {"in time": 1, "late": 1, "over, unpaged": 0, "missed": 0, "without a sign": 0}


def test_asking_again_is_told_apart_from_what_is_new():
    """A second step and a milestone ask again, as the baseline never does; a rise and the ward's first page do not."""
    home = told(10, page="h", person="caregiver:S-001", acts=False, to_home=True)
    first = told(25, page="a", why=WhyPaged.UNACKNOWLEDGED)
    again = (told(40, page="b", why=WhyPaged.UNACKNOWLEDGED), told(50, page="c", why=WhyPaged.MILESTONE))
    counts = counted(result(sent=(home, first, *again, told(60, page="d", why=WhyPaged.RAISED))))
    assert (counts.ours.pages, counts.ours.first_calls, counts.ours.to_homes) == (4, 2, 1)


def test_lengths_to_the_first_page_are_told_apart_for_occlusions():
    """An occlusion is measured from the pump's first sign, everything else from the true start."""
    sent = (told(62), told(210, incident="S-001@9"))
    ours = counted(result(stop(0, 100, Cause.OCCLUSION, 60), stop(200, 40), sent=sent)).ours
    assert (ours.from_sign_median_min, ours.to_page_median_min) == (2.0, 10.0)


@pytest.mark.parametrize(
    ("empty_h", "covered"), [(157.9, 0), (158.0, 1), (178.0, 1), (178.1, 0)], ids=["before", "first", "last", "after"]
)
def test_a_forecast_covers_the_truth_or_does_not(empty_h, covered):
    """The interval's edges belong to it; a bag without a forecast is not counted."""
    forecast = BagForecast(BEGAN + 158 * HOUR_MS, BEGAN + 168 * HOUR_MS, BEGAN + 178 * HOUR_MS)
    first = TrueBag(1, BEGAN, 110.0, 9.0, empty_at=BEGAN + round(empty_h * HOUR_MS))
    counts = counted(result(bags=[first, TrueBag(2, BEGAN, 110.0, 9.0)], forecasts={1: forecast}))
    assert (counts.bags, counts.bags_forecast, counts.bags_covered) == (2, 1, covered)
    assert counts.goals[-1].met is bool(covered)


def test_the_goals_say_what_was_measured():
    """Met or not, with the numbers; without a forecast the third goal is not claimed."""
    good = counted(result(stop(10, 40), sent=(told(20),), alarms_min=(1, 2, 3, 4, 5)))
    assert [goal.met for goal in good.goals] == [True, True]
    bad = counted(result(stop(10, 40), alarms_min=(1,), sent=(told(800),)))
    assert [goal.met for goal in bad.goals] == [False, False]
    words = "0 of 1; 0 late, 0 missed, 1 over before a page was due, 0 over before the pump knew"
    assert bad.goals[0].measured == words


def test_the_text_shows_the_numbers_and_names_what_was_not_found():
    """People read the same numbers; every interruption that was not paged in time stands there with its times."""
    lines = table(counted(result(stop(10, 90), sent=(told(200),), alarms_min=(10,))))
    text = "\n".join(lines)
    assert "pages per patient-week" in text
    assert "  S-001 air from 2026-03-02 06:13:00, 90 min, first sign 2026-03-02 06:13:00: missed" in lines
    assert sum(line.startswith("goal NOT met") for line in lines) == 2


def test_the_json_holds_everything():
    """The same report, for programs."""
    plain = json.loads(json.dumps(counted(result(stop(10, 90), alarms_min=(10,))).as_json()))
    assert plain["ours"]["missed"] == 1
    assert plain["shortfalls"][0]["interruption"]["cause"] == "air"
    assert plain["goals"][0]["met"] is False


@pytest.mark.parametrize(
    ("at_min", "words"),
    [
        (12, "air, shorter"),
        (22, "air, shorter"),
        (23, "flowing"),
        (31, "flowing, but not heard"),
        (50, "air, half an hour or more"),
    ],
)
def test_pages_are_told_apart_by_what_was_really_wrong(at_min, words):
    """At the instant of the page, or two minutes before: a page may just have been decided."""
    patient = result(stop(10, 10), stop(40, 31), losses_min=((30, 35),))
    assert wrong_at(patient, BEGAN + at_min * MINUTE_MS) == words


def test_quantiles_are_values_that_occurred():
    """The smallest value that so many do not exceed."""
    assert [quantile([4.0, 1.0, 3.0, 2.0], share) for share in (0.5, 0.75, 0.95)] == [2.0, 3.0, 4.0]
    assert quantile([], 0.5) is None
