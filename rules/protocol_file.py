"""What may stand in a protocol file, key by key. Unknown keys are refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.domain.words import Condition, Priority
from rules.durations import parse_ms

OWN = "own"  # the finding's own priority: the predicate says how it chooses it
ACKNOWLEDGED = "acknowledged"

DurationMs = Annotated[int, BeforeValidator(lambda value: parse_ms(value) if isinstance(value, str) else value)]
Text = Annotated[str, BeforeValidator(lambda value: f"{value:g}" if isinstance(value, int | float) else value)]


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
    """A rule. `first` may have words of its own for single pump conditions, beside `default`."""

    rule: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    when: dict[str, str | float]
    hold: DurationMs | dict[str, DurationMs] = 0
    priority: Priority | dict[Priority, DurationMs] | str
    milestones: list[DurationMs] = []
    unless: list[str] = []
    ends: Literal["acknowledged"] | None = None
    say: str
    first: str | dict[str, str]
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
    past_limit: str = Field(default="ask the doctor before any restart", max_length=60)
    past_limit_short: str = Field(default="ask the doctor", max_length=30)
    checklist: list[str] = Field(default=[], max_length=50)
    dose_steps: list[DoseStepFile] = []
    bags: dict[str, BagFile] = Field(min_length=1)
    conditions: dict[Condition, Priority]
    rules: list[RuleFile]
