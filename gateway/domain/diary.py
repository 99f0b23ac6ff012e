"""What the home wrote down, as it is kept for a course."""

from dataclasses import dataclass

from gateway.domain.instants import Instant
from gateway.domain.words import DiaryKind


@dataclass(frozen=True, slots=True)
class DiaryLine:
    """One entry. `at` is when it was observed, by the home's clock where that can be believed; `noted_at` when we learnt of it.

    `temperature_c` belongs to a temperature, `changed` to handwriting, `text` to a symptom or note. `who` is patient, caregiver
    or nurse; `pump` for what came over the pump's own connection. `late`: a newer entry of its kind was known already, so that
    this one is history and overrules nothing.
    """

    at: Instant
    noted_at: Instant
    kind: DiaryKind
    temperature_c: float | None = None
    changed: bool | None = None
    text: str = ""
    who: str = ""
    late: bool = False
