"""What a named question is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.domain.view import CourseView
from rules.model import Finding

Ask = Callable[[CourseView, Mapping[str, float]], tuple[Finding, ...]]

COURSE = frozenset({"course"})
SITE = frozenset({"site"})
PUMP = frozenset({"pump"})


@dataclass(frozen=True, slots=True)
class Predicate:
    """A named question: its function, the facets that wake it, its parameters with their defaults, its sentence.

    `scopes` says of what it may be asked: a `course`, the `site`, a `pump` that serves no course. `priorities` says, as the rest
    of the sentence, how it chooses a finding's priority; empty where it chooses none and the rule must.
    """

    ask: Ask
    wakes: int
    params: Mapping[str, float]
    sentence: str
    scopes: frozenset[str] = COURSE
    priorities: str = ""
