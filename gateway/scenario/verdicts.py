"""How each true interruption fared: paged in time, late, over before it had to be, or missed. For Dripwatch and the baseline.

The baseline, "page on every alarm": one page when the start of a pump's alarm reaches the gateway, and one when a pump could not
be heard for five minutes. It never repeats, never escalates, never ends; it lives in the same homes, helped by the same nurses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.instants import MINUTE_MS, Instant
from gateway.scenario.study import PatientResult
from gateway.scenario.truth import Cause, TrueInterruption

MATTERS_MS = 30 * MINUTE_MS  # shorter interruptions need nobody
IN_TIME_MS = 60 * MINUTE_MS  # paged before so much of it has passed …
SIGN_MS = 5 * MINUTE_MS  # … or, of an occlusion, within so long of the pump's first sign
LOSS_MS = 5 * MINUTE_MS  # the baseline pages when a pump could not be heard for so long
JUST_OVER_MS = 2 * MINUTE_MS  # a page decided by now began with what was true until then
AFTERWARDS_MS = 60 * MINUTE_MS  # a page so long after the end (or the return of the link) still tells of it


class Verdict(StrEnum):
    """What became of a true interruption of half an hour or more."""

    IN_TIME = "in time"
    LATE = "late"
    OVER = "over, unpaged"
    MISSED = "missed"
    NO_SIGN = "without a sign"


@dataclass(frozen=True, slots=True)
class Found:
    """An interruption and the first page about its course since it began; `first_at` None: there was none.

    `already`: an incident of the course was open, and paged, when it began, and that is why no other page came in time.
    """

    course: str
    interruption: TrueInterruption
    first_at: Instant | None
    verdict: Verdict
    already: bool = False

    @property
    def deadline_at(self) -> Instant:
        """By when a page was due."""
        return deadline_of(self.interruption)


def deadline_of(item: TrueInterruption) -> Instant:
    """An occlusion is due soon after the pump's first sign, anything else within the hour."""
    if item.cause is Cause.OCCLUSION:
        return item.until if item.first_sign_at is None else item.first_sign_at + SIGN_MS
    return item.since + IN_TIME_MS


def judged(patient: PatientResult, pages_at: Sequence[Instant], spans: Sequence[tuple[Instant, Instant]] = ()) -> list[Found]:
    """The verdict on each interruption that matters; `pages_at` in order, `spans` from an incident's first page to its end."""
    found = []
    for item in patient.interruptions:
        if item.length_ms < MATTERS_MS:
            continue
        told_until = item.link_up_at + AFTERWARDS_MS
        first_at = next((at for at in pages_at if item.since <= at <= told_until), None)
        deadline_at = deadline_of(item)
        already = any(paged_at < item.since < closed_at for paged_at, closed_at in spans)
        if first_at is not None and first_at <= deadline_at:
            found.append(Found(patient.course, item, first_at, Verdict.IN_TIME))
        elif already:
            found.append(Found(patient.course, item, first_at, Verdict.IN_TIME, already=True))
        elif item.cause is Cause.OCCLUSION and (item.first_sign_at is None or item.first_sign_at >= item.until):
            found.append(Found(patient.course, item, None, Verdict.NO_SIGN))  # the bag was changed before the pump could know
        elif item.until <= deadline_at:
            found.append(Found(patient.course, item, None, Verdict.OVER))  # what is paged later is something else
        else:
            found.append(Found(patient.course, item, first_at, Verdict.MISSED if first_at is None else Verdict.LATE))
    return found


def dripwatch(patient: PatientResult) -> list[Found]:
    """What our pages found."""
    pages = [sent for sent in patient.sent if sent.acts]
    first_at: dict[str, Instant] = {}
    for sent in pages:
        first_at.setdefault(sent.incident, sent.at)
    spans = [(first_at[lived.incident], lived.closed_at) for lived in patient.incidents if lived.incident in first_at]
    return judged(patient, [sent.at for sent in pages], spans)


def wrong_at(patient: PatientResult, at: Instant) -> str:
    """What was really wrong at a home when its ward was paged: why nothing flowed, or that nobody could hear the pump."""
    item = next((item for item in patient.interruptions if item.since <= at <= item.until + JUST_OVER_MS), None)
    if item is not None:
        return f"{item.cause}, {'half an hour or more' if item.length_ms >= MATTERS_MS else 'shorter'}"
    unheard = any(since <= at <= until + JUST_OVER_MS for since, until in patient.losses)
    return "flowing, but not heard" if unheard else "flowing"


def baseline_pages(patient: PatientResult) -> list[Instant]:
    """When "page on every alarm" would have paged."""
    losses = [since + LOSS_MS for since, until in patient.losses if until - since > LOSS_MS]
    return sorted([*patient.alarms_at, *losses])


def baseline(patient: PatientResult) -> list[Found]:
    """What the baseline's pages found."""
    return judged(patient, baseline_pages(patient))
