"""Values as Grafana would write them: units, instants by the clock of the ward, codes as words with their colours."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.instants import SECOND_MS, Instant
from rules.durations import say_ms

ZONE = ZoneInfo("Asia/Hong_Kong")
COLOURS = {"green": "#2e7d32", "yellow": "#b8860b", "orange": "#d9730d", "red": "#c62828", "blue": "#1565c0"}
PLAIN = "#222222"

Mapping = dict[str, dict[str, Any]]


def mapping_of(properties: list[dict[str, Any]] | dict[str, Any]) -> Mapping:
    """Code → {text, color}, from a column's dress or a panel's defaults."""
    found = properties.get("mappings", ()) if isinstance(properties, dict) else ()
    if isinstance(properties, list):
        found = next((one["value"] for one in properties if one["id"] == "mappings"), ())
    return {code: said for one in found for code, said in one["options"].items()}


def clock(at: Instant) -> str:
    """Hours and minutes, at the ward."""
    return datetime.fromtimestamp(at / SECOND_MS, ZONE).strftime("%H:%M")


def said(value: Any, unit: str, mapping: Mapping, now: Instant) -> tuple[str, str]:
    """(text, colour) of one value."""
    if value is None or value == "":
        return "", PLAIN
    if mapping:
        known = mapping.get(str(int(value)), {"text": str(value), "color": PLAIN})
        return known["text"], COLOURS.get(known["color"], known["color"])
    match unit:
        case "dateTimeFromNow":
            away = say_ms(abs(round(value) - now) // 60_000 * 60_000) if abs(round(value) - now) >= 60_000 else "less than 1 min"
            return (f"in {away}" if value > now else f"{away} ago"), PLAIN
        case "dateTimeAsIsoNoDateIfToday":
            return clock(value), PLAIN
        case "ms":
            return (say_ms(round(value)) if value >= SECOND_MS else f"{value:g} ms"), PLAIN
        case "s":
            return (say_ms(round(value) * SECOND_MS) if value else "0 s"), PLAIN
        case "percent":
            return f"{value:g} %", PLAIN
    return (f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)), PLAIN
