"""A protocol and its rules as data. Numbers are parameters that a named clinician approves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.instants import Instant
from gateway.domain.locale import Locale
from gateway.domain.words import Condition, Priority


@dataclass(frozen=True, slots=True)
class Rung:
    """The alert has this priority once what it is about has lasted `after_ms`."""

    priority: Priority
    after_ms: int


@dataclass(frozen=True, slots=True)
class Example:
    """A short story about one rule, run as a test. See `rules.examples` for the notation."""

    title: str
    every_ms: int
    series: Mapping[str, str]
    expected: tuple[tuple[Priority, int], ...]
    milestones_at_ms: tuple[int, ...] | None = None
    over_at_ms: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class RuleWords:
    """What a nurse reads about a rule in another language; empty where it is not translated."""

    say: str = ""
    first: str = ""
    firsts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LimitWords:
    """What a page adds past the protocol's limit, in another language: where there is space, where it is scarce, what to do."""

    long: str = ""
    short: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When to call people about what.

    `hold_ms` counts from the evidence's observed time; `holds_ms` overrides it by pump condition or by priority. `rungs` stand
    in rising order; there are none where the finding brings its own priority. `unless` names what holds the rule back. `say`
    and `first` are what a nurse reads: what is wrong, and what to do first; `firsts` has other words for single pump conditions.
    These are English; `translations` has what there is of them in other languages.
    `ends_when_acked`: nothing at the pump can end it; it is over when somebody takes it.
    """

    name: str
    predicate: str
    params: Mapping[str, float] = field(default_factory=dict)
    hold_ms: int = 0
    holds_ms: Mapping[str, int] = field(default_factory=dict)
    rungs: tuple[Rung, ...] = ()
    milestones_ms: tuple[int, ...] = ()
    unless: tuple[str, ...] = ()
    say: str = ""
    first: str = ""
    firsts: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[Locale, RuleWords] = field(default_factory=dict)
    playbook: str = ""
    ends_when_acked: bool = False
    examples: tuple[Example, ...] = ()

    def first_for(self, *names: str) -> str:
        """What to do first about the first of these pump conditions that has words of its own; else about anything."""
        return next((self.firsts[name] for name in names if name in self.firsts), self.first)

    def translated(self, locale: Locale, *names: str) -> tuple[str, str] | None:
        """(say, first) for these pump conditions in another language; None where one of the two is not translated.

        Where English has words for a condition only these will do: the general ones in another language would say something else.
        """
        words = self.translations.get(locale)
        if words is None:
            return None
        special = next((name for name in names if name in self.firsts), None)
        first = words.first if special is None else words.firsts.get(special, "")
        return (words.say, first) if words.say and first else None


@dataclass(frozen=True, slots=True)
class BagKind:
    """A bag as the pharmacy makes it. Always recorded, never inferred from a rate. Volumes in mL, rate in mL/h."""

    name: str
    duration_ms: int
    rate_ml_h: float
    fill_ml: float
    prime_ml: float
    shelf_life_ms: int


@dataclass(frozen=True, slots=True)
class DoseStep:
    """So much a day from this infusion day on (1-based). With `mcg_per_m2_day` it goes by body surface; the other is its cap."""

    from_day: int
    mcg_per_day: float
    mcg_per_m2_day: float | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """A treatment programme: its days, bags, limits and rules.

    `past_limit` is what a page adds once delivery has stopped for `interruption_limit_ms`, `past_limit_short` the same where
    space is scarce; `past_limit_first` is what to do first then, instead of what the rule says; `limit_words` the same in other
    languages. `scale_tolerance_g`: by so much two readings of a bag scale may
    differ although nothing flowed.
    """

    name: str
    title: str
    infusion_days: int
    break_days: int
    interruption_limit_ms: int
    occlusion_volume_ml: float
    silent_intervals: int
    silent_at_least_ms: int
    start_up_delay_ms: int = 600_000
    scale_tolerance_g: float = 0.2
    past_limit: str = ""
    past_limit_short: str = ""
    past_limit_first: str = ""
    limit_words: Mapping[Locale, LimitWords] = field(default_factory=dict)
    checklist: tuple[str, ...] = ()
    battery_percent_h: float = 5.0
    bags: Mapping[str, BagKind] = field(default_factory=dict)
    dose_steps: tuple[DoseStep, ...] = ()
    conditions: Mapping[Condition, Priority] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a predicate found to be true now.

    `kind` tells findings of one rule apart (a pump condition's name, or empty). `since` counts for priority and milestones,
    `evidence_at` for the hold. `family` is what people would call the same trouble: a condition and the interruption that it
    causes share it. `recheck_at`: the truth may change by the passing of time alone. `since` may lie ahead: then it will be true
    from that instant on unless something changes. `standing`: `since` and `evidence_at` count from when it was first
    found. `by_at` is the instant that a page names beside `since`.

    Where the rule has no rungs, a finding without priority starts no alert and ends none: near its threshold a forecast must not
    end an alert that it will start again.
    """

    since: Instant
    evidence_at: Instant
    kind: str = ""
    family: str = ""
    priority: Priority | None = None
    recheck_at: Instant | None = None
    standing: bool = False
    by_at: Instant | None = None
    detail: str = ""
