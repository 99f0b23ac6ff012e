"""The calendars of a ward file, taken in: `ical_file` becomes `ical`, the calendar's text reduced to what decides.

So a ward that was loaded, and what the journal keeps of it, needs no other file. A text that stands in the ward file itself is
judged and reduced in the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from gateway.config.calendar_checks import judged
from gateway.config.ical_text import TEXT_MAX_BYTES
from gateway.config.problems import Report, unknown
from gateway.config.references import Raw, mapping
from rules.yaml_lines import Path, Problem

PROBLEMS_SHOWN_MAX = 20  # of one calendar


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """The file from which a schedule's calendar was read."""

    schedule: str
    path: File


def take_in(raw: Raw, base_dir: File | None, report: Report) -> tuple[dict[str, Any], tuple[CalendarFile, ...]]:
    """`raw` with the calendars' texts in it, and their files; what is wrong with them is reported.

    Relative paths start at `base_dir`; without it no file is looked for, and naming one is a problem.
    """
    schedules = raw.get("schedules")
    if not isinstance(schedules, Mapping):
        return dict(raw), ()
    files = []
    taken = dict(schedules)
    for name, schedule in schedules.items():
        if not isinstance(schedule, Mapping) or not {"ical", "ical_file"} & schedule.keys():
            continue
        path, body = ("schedules", name), dict(schedule)
        named, text = body.pop("ical_file", None), body.get("ical")
        if named is not None and text is not None:
            report.add((*path, "ical_file"), "give ical_file or ical, not both")
        elif isinstance(named, str):
            file = (base_dir or File()) / named
            files.append(CalendarFile(name, file))
            body["ical"] = _from_file(file, path, raw, report) if base_dir is not None else _unreachable(path, report)
        elif named is not None:
            body["ical_file"] = named  # the check of the shape says what is wrong with it
        elif isinstance(text, str):
            body["ical"] = _from_text(text, path, raw, report)
        if body.get("ical") == "":  # said already
            del body["ical"]
        taken[name] = body
    return {**raw, "schedules": taken}, tuple(files)


def _unreachable(path: Path, report: Report) -> str:
    report.add((*path, "ical_file"), "no calendar file can be read here; write the calendar's text under `ical`")
    return ""


def _from_file(file: File, path: Path, raw: Raw, report: Report) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(TEXT_MAX_BYTES + 1)
        text = content.decode()
    except OSError as error:
        report.add((*path, "ical_file"), f"{file}: {(error.strerror or 'cannot be read').lower()}")
        return ""
    except UnicodeDecodeError:
        report.add((*path, "ical_file"), f"{file}: not UTF-8 text; export the calendar anew")
        return ""
    if len(content) > TEXT_MAX_BYTES:
        report.add((*path, "ical_file"), f"{file}: larger than {TEXT_MAX_BYTES >> 20} MiB; export a shorter stretch")
        return ""
    kept, problems = _judged(text, path, raw)
    for line, message in problems[:PROBLEMS_SHOWN_MAX]:
        report.add_elsewhere(Problem(str(file), line, path, message))
    return kept


def _from_text(text: str, path: Path, raw: Raw, report: Report) -> str:
    kept, problems = _judged(text, path, raw)
    for line, message in problems[:PROBLEMS_SHOWN_MAX]:
        report.add((*path, "ical"), f"line {line} of the calendar: {message}")
    return kept


def _judged(text: str, path: Path, raw: Raw) -> tuple[str, list[tuple[int, str]]]:
    """(the reduced text, what is wrong): also a title that names nobody of this ward."""
    kept, problems, titles = judged(text)
    people = mapping(raw.get("people"))
    names = mapping(mapping(mapping(raw.get("schedules")).get(str(path[1]))).get("ical_names"))
    strangers = [(line, title) for line, title in titles if title not in names and title not in people]
    told = [(line, f"{unknown('person', title, people)}; or say in ical_names who that is") for line, title in strangers]
    return kept, [*problems, *told]
