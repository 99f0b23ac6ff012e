"""What a study shows: the table, the same as JSON, and every interruption that did not fare as it should."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from math import ceil
from typing import Any

from gateway.domain.instants import DAY_MS, MINUTE_MS, Instant
from gateway.domain.words import WhyPaged
from gateway.scenario.local_time import LocalTime
from gateway.scenario.study import PatientResult, Sent, Study
from gateway.scenario.truth import Cause
from gateway.scenario.verdicts import Found, Verdict, baseline, baseline_pages, dripwatch, wrong_at

PAGES_SHARE_MAX = 0.2  # at most one fifth of the baseline's pages
COVERAGE_MIN = 0.95
DAYS_A_WEEK = 7
# Pages that bring something new; the others ask again, because nobody took it or it still lasts. The baseline never asks again.
FIRST_CALLS = frozenset({WhyPaged.OPENED, WhyPaged.RAISED, WhyPaged.NEW_ALERT, WhyPaged.SILENCE_ENDED})


@dataclass(frozen=True, slots=True)
class Column:
    """One way of watching. Lengths in minutes; None where there was nothing to measure.

    `pages`: a person asked once to do something, by however many contacts; `first_calls` are those of them that bring something
    new; `messages` counts the contacts, `endings` are pages that only tell the end, `to_homes` texts to caregivers. `to_page`:
    from the true start to the first page, occlusions apart; `from_sign`: of an occlusion, from the pump's first sign. `no_sign`:
    occlusions that were over before the pump itself could know.
    """

    pages: int
    first_calls: int
    messages: int
    endings: int
    to_homes: int
    pages_per_patient_week: float
    off_hours_share: float
    interruptions: int
    in_time: int
    already_open: int
    late: int
    over: int
    missed: int
    no_sign: int
    to_page_median_min: float | None
    to_page_p95_min: float | None
    from_sign_median_min: float | None
    from_sign_p95_min: float | None


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that a study is to show."""

    what: str
    met: bool
    measured: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about a study, in numbers. `bags_covered` of `bags_forecast` bags ran dry within the forecast interval."""

    patients: int
    days: float
    patient_weeks: float
    seed: int
    report_s: float
    records: int
    digest: str
    ours: Column
    theirs: Column
    bags: int
    bags_ran_dry: int
    bags_forecast: int
    bags_covered: int
    happened: dict[str, int]
    by_cause: dict[str, dict[str, int]]
    by_reason: dict[str, int]
    by_rule: dict[str, int]
    by_truth: dict[str, int]
    shortfalls: tuple[Found, ...]
    goals: tuple[Goal, ...]
    refused: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; instants in ms since 1970."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain |= {"ours": asdict(self.ours), "theirs": asdict(self.theirs), "goals": [asdict(goal) for goal in self.goals]}
        plain["shortfalls"] = [asdict(found) for found in self.shortfalls]
        return plain


def report(study: Study, local: LocalTime) -> Report:
    """Count everything."""
    ours = [found for patient in study.patients for found in dripwatch(patient)]
    theirs = [found for patient in study.patients for found in baseline(patient)]
    weeks = sum(patient.until - patient.since for patient in study.patients) / (DAYS_A_WEEK * DAY_MS)
    bags = [(bag, patient.forecasts.get(bag.number)) for patient in study.patients for bag in patient.bags]
    forecast = [(bag, said) for bag, said in bags if said is not None]
    column, their_column = _ours(study.patients, ours, weeks, local), _theirs(study.patients, theirs, weeks, local)
    covered = sum(said.early_at <= bag.empty_at <= said.late_at for bag, said in forecast)
    return Report(
        patients=study.plan.patients,
        days=study.plan.assumed.cycle_days,
        patient_weeks=round(weeks, 2),
        seed=study.plan.seed,
        report_s=study.plan.assumed.report_s,
        records=study.records,
        digest=study.digest,
        ours=column,
        theirs=their_column,
        bags=len(bags),
        bags_ran_dry=sum(bag.ran_dry or bool(bag.spent_at) for bag, _ in bags),
        bags_forecast=len(forecast),
        bags_covered=covered,
        happened=_summed(patient.happened for patient in study.patients),
        by_cause=_by_cause(ours),
        by_reason=_by_reason(study.patients),
        by_rule=_by_rule(study.patients),
        by_truth=_by_truth(study.patients),
        shortfalls=_shortfalls(ours),
        goals=_goals(column, their_column, covered, len(forecast)),
        refused=study.refused,
    )


def _ours(patients: Sequence[PatientResult], found: Sequence[Found], weeks: float, local: LocalTime) -> Column:
    acting = [first.at for patient in patients for first in acting_pages(patient)]
    sent = [sent for patient in patients for sent in patient.sent]
    endings = len({item.page for item in sent if item.why == "resolved"})
    calls = sum(len(first_calls(patient)) for patient in patients)
    to_homes = len({item.page for item in sent if item.to_home})
    return replace(_column(acting, len(sent), endings, found, weeks, local), first_calls=calls, to_homes=to_homes)


def acting_pages(patient: PatientResult) -> list[Sent]:
    """The pages that ask somebody to do something, each as its first message."""
    pages: dict[str, Sent] = {}
    for sent in patient.sent:
        if sent.acts:
            pages.setdefault(sent.page, sent)
    return list(pages.values())


def first_calls(patient: PatientResult) -> list[Sent]:
    """Those of the acting pages that bring something new; after a text to the home also the ward's first of an incident."""
    calls: list[Sent] = []
    known: set[str] = set()
    for page in acting_pages(patient):
        if page.why in FIRST_CALLS or page.incident not in known:
            calls.append(page)
        known.add(page.incident)
    return calls


def _theirs(patients: Sequence[PatientResult], found: Sequence[Found], weeks: float, local: LocalTime) -> Column:
    pages_at = [at for patient in patients for at in baseline_pages(patient)]
    return _column(pages_at, len(pages_at), 0, found, weeks, local)


def _column(
    pages_at: Sequence[Instant], messages: int, endings: int, found: Sequence[Found], weeks: float, local: LocalTime
) -> Column:
    counts = {verdict: sum(item.verdict is verdict for item in found) for verdict in Verdict}
    paged = [item for item in found if item.first_at is not None and not item.already]
    to_page = [
        _minutes(item.first_at, item.interruption.since) for item in paged if item.interruption.cause is not Cause.OCCLUSION
    ]
    from_sign = [
        _minutes(item.first_at, item.interruption.first_sign_at) for item in paged if item.interruption.cause is Cause.OCCLUSION
    ]
    return Column(
        pages=len(pages_at),
        first_calls=len(pages_at),
        messages=messages,
        endings=endings,
        to_homes=0,
        pages_per_patient_week=round(len(pages_at) / weeks, 2),
        off_hours_share=round(sum(local.is_off_hours(at) for at in pages_at) / max(1, len(pages_at)), 3),
        interruptions=len(found),
        in_time=counts[Verdict.IN_TIME],
        already_open=sum(item.already for item in found),
        late=counts[Verdict.LATE],
        over=counts[Verdict.OVER],
        missed=counts[Verdict.MISSED],
        no_sign=counts[Verdict.NO_SIGN],
        to_page_median_min=quantile(to_page, 0.5),
        to_page_p95_min=quantile(to_page, 0.95),
        from_sign_median_min=quantile(from_sign, 0.5),
        from_sign_p95_min=quantile(from_sign, 0.95),
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of all does not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, ceil(share * len(ordered)))
    return round(ordered[rank - 1], 1)


def _minutes(at: Instant | None, since: Instant | None) -> float:
    return ((at or 0) - (since or at or 0)) / MINUTE_MS


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return dict(sorted(total.items()))


def _by_cause(found: Iterable[Found]) -> dict[str, dict[str, int]]:
    """Cause → verdict → how many."""
    table: dict[str, dict[str, int]] = {}
    for item in found:
        row = table.setdefault(item.interruption.cause.value, {verdict.value: 0 for verdict in Verdict})
        row[item.verdict.value] += 1
    return dict(sorted(table.items()))


def _shortfalls(found: Iterable[Found]) -> tuple[Found, ...]:
    """What was not paged in time, the worst first."""
    worst = (Verdict.MISSED, Verdict.LATE, Verdict.OVER)
    return tuple(sorted((item for item in found if item.verdict in worst), key=lambda item: worst.index(item.verdict)))


def _by_reason(patients: Iterable[PatientResult]) -> dict[str, int]:
    """Why and about what → how many pages, the most frequent first."""
    counts: dict[str, int] = {}
    for patient in patients:
        for sent in acting_pages(patient):
            words = f"{sent.why}: {', '.join(sorted(sent.about))}"
            counts[words] = counts.get(words, 0) + 1
    return _frequent_first(counts)


def _by_rule(patients: Iterable[PatientResult]) -> dict[str, int]:
    """Rule → how many pages told of it, the most frequent first; a page may tell of several."""
    counts: dict[str, int] = {}
    for patient in patients:
        for sent in acting_pages(patient):
            for rule in sent.about:
                counts[rule] = counts.get(rule, 0) + 1
    return _frequent_first(counts)


def _by_truth(patients: Iterable[PatientResult]) -> dict[str, int]:
    """What was really wrong → how many incidents were first paged then, the most frequent first."""
    counts: dict[str, int] = {}
    for patient in patients:
        first = {sent.incident: sent for sent in reversed(acting_pages(patient))}
        for sent in first.values():
            words = wrong_at(patient, sent.at)
            counts[words] = counts.get(words, 0) + 1
    return _frequent_first(counts)


def _frequent_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _goals(ours: Column, theirs: Column, covered: int, forecast: int) -> tuple[Goal, ...]:
    short = ours.late + ours.over + ours.missed
    share = ours.pages / theirs.pages if theirs.pages else 0.0
    calls = ours.first_calls / theirs.pages if theirs.pages else 0.0
    goals = [
        Goal(
            "every true interruption of 30 min is paged within 60 min, an occlusion within 5 min of the pump's first sign",
            short == 0,
            f"{ours.in_time} of {ours.interruptions}; {ours.late} late, {ours.missed} missed, {ours.over} over before a page was "
            f"due, {ours.no_sign} over before the pump knew",
        ),
        Goal(
            "at most one fifth of the baseline's pages",
            share <= PAGES_SHARE_MAX,
            f"{share:.2f} of them; {calls:.2f} without those that ask again, which the baseline never does",
        ),
    ]
    if forecast:
        share = covered / forecast
        goals.append(Goal("the bag-empty interval covers the truth in 95 % of bags", share >= COVERAGE_MIN, f"{share:.1%}"))
    return tuple(goals)
