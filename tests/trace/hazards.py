"""docs/security/hazards.yaml, typed: what may harm a patient, how badly, how likely, and what is done about it."""

import functools
from enum import StrEnum
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tests.support.source_tree import ROOT

FILE = ROOT / "docs" / "security" / "hazards.yaml"

Words = Annotated[str, Field(min_length=3, max_length=400)]


class Ranked(StrEnum):
    """A word of a scale; the first has rank 1."""

    @property
    def rank(self) -> int:
        """1 … 5."""
        return list(type(self)).index(self) + 1


class Harm(Ranked):
    """How bad it is for the patient, the words of ISO 14971's guidance."""

    NEGLIGIBLE = "negligible"
    MINOR = "minor"
    SERIOUS = "serious"
    CRITICAL = "critical"
    CATASTROPHIC = "catastrophic"


class Chance(Ranked):
    """How likely the harm is, in words: nobody has counted."""

    IMPROBABLE = "improbable"
    REMOTE = "remote"
    OCCASIONAL = "occasional"
    PROBABLE = "probable"
    FREQUENT = "frequent"


class Control(StrEnum):
    """The three kinds of control, the strongest first."""

    DESIGN = "design"
    PROTECTION = "protection"
    INFORMATION = "information"


class Risk(StrEnum):
    """What harm and chance make together."""

    ACCEPTABLE = "acceptable"
    REDUCE = "reduce further if that can be done"
    UNACCEPTABLE = "not acceptable"


def risk_of(harm: Harm, chance: Chance) -> Risk:
    """The matrix: the product of both ranks, to 4, to 9, above."""
    product = harm.rank * chance.rank
    return Risk.ACCEPTABLE if product <= 4 else Risk.REDUCE if product <= 9 else Risk.UNACCEPTABLE


class Hazard(BaseModel):
    """One hazard. `before`, `after`: how likely the harm is without our controls, and with them. `open`: what does not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^H-\d\d$")]
    hazard: Words
    situation: Words
    causes: Annotated[list[Words], Field(min_length=1)]
    harm: Harm
    before: Chance
    after: Chance
    controls: Annotated[list[Annotated[dict[Control, Words], Field(min_length=1, max_length=1)]], Field(min_length=1)]
    scenarios: list[str] = []
    open: list[Words] = []

    @property
    def risk_before(self) -> Risk:
        """Without the controls."""
        return risk_of(self.harm, self.before)

    @property
    def risk_after(self) -> Risk:
        """With them."""
        return risk_of(self.harm, self.after)


class Group(BaseModel):
    """Hazards that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Words
    hazards: Annotated[list[Hazard], Field(min_length=1)]


@functools.cache
def groups() -> tuple[Group, ...]:
    """The file. Raises pydantic's ValidationError, which names place and mistake."""
    return tuple(Group.model_validate(each) for each in yaml.safe_load(FILE.read_text(encoding="utf-8")))


def hazards() -> list[Hazard]:
    """All of them, in the file's order."""
    return [hazard for group in groups() for hazard in group.hazards]
