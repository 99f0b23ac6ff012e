"""The names of what `check-config` finds, and the shape in which the checks tell it."""

from collections.abc import Iterator
from enum import StrEnum

from gateway.domain.instants import DAY_MS
from rules.yaml_lines import Path

LOOK_AHEAD_MS = 28 * DAY_MS


class FindingName(StrEnum):
    """What was found."""

    ON_CALL_GAP = "on-call-gap"
    EMPTY_SCHEDULE = "empty-schedule"
    CALENDAR_ENDS = "calendar-ends"
    ONE_CHANNEL = "one-channel"
    CANNOT_REPLY = "cannot-reply"
    NEVER_PAGED = "never-paged"
    UNREACHABLE_STEP = "unreachable-step"
    ONE_PERSON_ONLY = "one-person-only"
    UNUSED_POLICY = "unused-policy"
    MAY_END_IN_SILENCE = "may-end-in-silence"
    WEAK_FALLBACK = "weak-fallback"
    SHADOWED_ROUTE = "shadowed-route"
    ADDRESS_UNUSED = "address-unused"
    SECRET_READABLE = "secret-readable"  # noqa: S105 - a finding's name
    CONSOLE_EXPOSED = "console-exposed"
    HL7_EXPOSED = "hl7-exposed"
    NOT_TRANSLATED = "not-translated"


Found = Iterator[tuple[FindingName, Path, str]]
"""What a check finds: its name, the place in the ward file, and the words with the mend."""
