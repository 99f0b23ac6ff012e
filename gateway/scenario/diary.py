"""What a story's homes write down: published on the diary channel of the pump that serves the course, as a phone app would."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.domain.instants import Instant
from gateway.domain.words import DiaryKind
from gateway.scenario.house import House

# key of the step → the kind of entry, and the wire's own key
ENTRIES: Mapping[str, tuple[DiaryKind, str]] = {
    "temperature_c": (DiaryKind.TEMPERATURE, "temperature_c"),
    "handwriting_changed": (DiaryKind.HANDWRITING, "changed"),
    "symptom": (DiaryKind.SYMPTOM, "text"),
    "note": (DiaryKind.NOTE, "text"),
}


def publish_diary(house: House, site: str, given: Mapping[str, Any], at: Instant) -> str:
    """Publish the entries, whatever the pump's own connection does; the broker keeps them while the gateway is down.

    Returns what went wrong, in words; empty when it was published.
    """
    course = house.fold.monitor.state.courses.get(str(given["course"]))
    if course is None:
        return f"no course {given['course']} keeps a diary: enrol it first"
    for key, (kind, field) in ENTRIES.items():
        if key in given:
            body = {"observed_at": at, "entry": kind.value, field: given[key]}
            house.hear(at, f"dw/v1/{site}/{course.pump}/diary", json.dumps(body).encode())
    return ""
