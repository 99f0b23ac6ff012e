"""What may stand in a protocol file, key by key. Unknown keys are refused."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gateway.domain.locale import Locale
from gateway.domain.words import Condition, Priority
from rules.durations import parse_ms

OWN = "own"  # the finding's own priority: the predicate says how it chooses it
ACKNOWLEDGED = "acknowledged"
DEFAULT = "default"

DurationMs = Annotated[int, BeforeValidator(lambda value: parse_ms(value) if isinstance(value, str) else value)]
Text = Annotated[str, BeforeValidator(lambda value: f"{value:g}" if isinstance(value, int | float) else value)]


def _by_language(value: Any) -> Any:
    """A text alone is English."""
    return {Locale.EN: value} if isinstance(value, str) else value


def _by_condition(value: Any) -> Any:
    """A text alone, or one text in several languages, is meant for all conditions."""
    languages = set(Locale)
    is_text = isinstance(value, str) or (isinstance(value, dict) and bool(value) and set(value) <= languages)
    return {DEFAULT: value} if is_text else value


def _readable(most: int) -> Callable[[dict[Locale, str]], dict[Locale, str]]:
    def check(words: dict[Locale, str]) -> dict[Locale, str]:
        if Locale.EN not in words:
            raise ValueError(f"needs {Locale.EN.value}; the other languages stand beside it")
        for locale, text in words.items():
            if len(text) > most:
                raise ValueError(f"{locale.value} has {len(text)} characters; at most {most}")
        return words

    return check


Words = Annotated[dict[Locale, str], BeforeValidator(_by_language), AfterValidator(_readable(500))]
"""A text that people read, by language; English is always there. In the file a text alone is English."""
Words60 = Annotated[dict[Locale, str], BeforeValidator(_by_language), AfterValidator(_readable(60))]
Words30 = Annotated[dict[Locale, str], BeforeValidator(_by_language), AfterValidator(_readable(30))]


class Strict(BaseModel):
    """What all parts share."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SilentFile(Strict):
    """How long a pump may say nothing."""

    intervals: int = Field(ge=1, le=100)
    at_least: DurationMs


class DoseStepFile(Strict):
    """A dose from an infusion day on. With `mcg_per_m2_day` the dose goes by body surface, and `mcg_per_day` is its cap."""

    from_day: int = Field(ge=1)
    mcg_per_day: float = Field(gt=0)
    mcg_per_m2_day: float | None = Field(default=None, gt=0)


class BagFile(Strict):
    """A kind of bag."""

    duration: DurationMs
    rate_ml_h: float = Field(gt=0, le=1800)
    fill_ml: float = Field(gt=0, le=20_000)
    prime_ml: float = Field(ge=0)
    shelf_life: DurationMs


class SeriesFile(Strict):
    """The series of an example, as `rules.example_view` reads them."""

    delivery: str | None = None
    conditions: str | None = None
    heard: str | None = None
    refused: str | None = None
    session: str | None = None
    inhibited: str | None = None
    rate: Text | None = None
    set_rate: Text | None = None
    prescribed: Text | None = None
    battery: Text | None = None
    volume: Text | None = None
    bag_empty: str | None = None
    bag_spread: str | None = None
    planned_change: str | None = None
    expires: str | None = None
    next_bag: str | None = None
    found: str | None = None
    settings: str | None = None
    silent: str | None = None
    flows: str | None = None
    watchdog: str | None = None
    dropped: str | None = None
    temperature: Text | None = None
    handwriting: str | None = None
    taken: str | None = None


class ExampleFile(SeriesFile):
    """A short story about one rule."""

    title: str
    every: DurationMs
    back_dated: DurationMs = 0
    firing: dict[Priority, DurationMs] | Literal["never"]
    milestones: list[DurationMs] | None = None
    over: DurationMs | None = None


class RuleFile(Strict):
    """A rule. `first` may have words of its own for single pump conditions, beside `default`.

    What people read may stand there in several languages: `say: {en: …, zh-Hant: …}`.
    """

    rule: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    when: dict[str, str | float]
    hold: DurationMs | dict[str, DurationMs] = 0
    priority: Priority | dict[Priority, DurationMs] | str
    milestones: list[DurationMs] = []
    unless: list[str] = []
    ends: Literal["acknowledged"] | None = None
    say: Words
    first: Annotated[dict[str, Words], BeforeValidator(_by_condition)]
    playbook: str = ""
    enabled: bool = True
    examples: list[ExampleFile] = Field(min_length=1)


class ProtocolFile(Strict):
    """A whole protocol."""

    protocol: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str
    infusion_days: int = Field(ge=1, le=366)
    break_days: int = Field(ge=0, le=366)
    interruption_limit: DurationMs
    occlusion_volume_ml: float = Field(ge=0, le=10)
    silent: SilentFile
    battery_percent_h: float = Field(default=5.0, gt=0, le=100)
    start_up_delay: DurationMs = 600_000
    scale_tolerance_g: float = Field(default=0.2, gt=0, le=100)
    past_limit: Words60 = {Locale.EN: "ask the doctor before any restart", Locale.ZH_HANT: "重啟前先問醫生"}
    past_limit_short: Words30 = {Locale.EN: "ask the doctor", Locale.ZH_HANT: "先問醫生"}
    past_limit_first: Words = {
        Locale.EN: "Nobody starts the pump again at home now. Call the home and say so; then call the doctor.",
        Locale.ZH_HANT: "現在不可在家重啟輸液泵。先致電家中告知。再聯絡醫生。",
    }
    checklist: list[str] = Field(default=[], max_length=50)
    dose_steps: list[DoseStepFile] = []
    bags: dict[str, BagFile] = Field(min_length=1)
    conditions: dict[Condition, Priority]
    rules: list[RuleFile]
