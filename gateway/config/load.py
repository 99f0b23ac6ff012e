"""Loading a ward file: everything that is wrong with it at once, or everything the gateway needs from it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from gateway.config.build import build_console, build_influx, build_mllp, build_mqtt, build_transport, build_ward, resolved
from gateway.config.calendar_files import take_in
from gateway.config.journal_text import journal_text
from gateway.config.problems import ConfigError, Report
from gateway.config.references import check_references, mapping
from gateway.config.secrets import Secrets, read_secrets
from gateway.config.settings import JournalSettings, LoadedWard
from gateway.config.shape import check_shape
from gateway.config.text_file import text_of
from gateway.config.ward_file import WardFile
from gateway.core.synthetic import PROTOCOL
from rules.yaml_lines import TEXT_MAX_BYTES, YamlProblem, load


def load_ward_file(file: File) -> LoadedWard:
    """Load the ward file at `file`; its relative paths start at its own directory. Raises `ConfigError`."""
    return load_ward(text_of(file), str(file), file.parent)


def load_ward(text: str, source: str, base_dir: File | None) -> LoadedWard:
    """Load a ward file's text. `source` names it in errors. Raises `ConfigError` with every problem.

    Relative paths start at `base_dir`. Without it (a text from the journal) no file is looked for, and secrets that live in
    files stay None; calendars stand in the journal's text themselves.
    """
    try:
        located = load(text, source)
    except YamlProblem as found:
        raise ConfigError((found.problem,)) from None
    return _load(located.value, Report(source, located), base_dir)


def load_ward_mapping(content: Mapping[str, Any], source: str, base_dir: File | None = None) -> LoadedWard:
    """Load a ward that is a mapping already (inline in a scenario, or patched). Lines are unknown. Raises `ConfigError`."""
    return _load(content, Report(source), base_dir)


def with_calendars(content: Mapping[str, Any], source: str, base_dir: File) -> dict[str, Any]:
    """`content` with the texts of the calendar files that it names, so that it needs none. Raises `ConfigError`."""
    report = Report(source)
    taken, _ = take_in(content, base_dir, report)
    report.refuse_if_any()
    return taken


def with_new_calendars(loaded: LoadedWard) -> LoadedWard:
    """The ward as it was loaded, but for its calendar files, which are read again. Raises `ConfigError`."""
    content = load(loaded.text_for_journal, loaded.source).value
    schedules = dict(mapping(content.get("schedules")))
    for file in loaded.calendar_files:
        rest = {key: value for key, value in mapping(schedules[file.schedule]).items() if key != "ical"}
        schedules[file.schedule] = {**rest, "ical_file": str(file.path)}
    again = load_ward_mapping(with_calendars({**content, "schedules": schedules}, loaded.source, File()), loaded.source)
    return replace(loaded, ward=again.ward, text_for_journal=again.text_for_journal)


def _load(content: Mapping[str, Any], report: Report, base_dir: File | None) -> LoadedWard:
    raw = {key: value for key, value in content.items() if value is not None}  # an empty section is like an absent one
    raw, calendar_files = take_in(raw, base_dir, report)
    file = check_shape(raw, report)
    check_references(raw, report)
    secrets = read_secrets(raw, base_dir, report)
    report.refuse_if_any()
    text = journal_text(raw)
    if len(text.encode()) > TEXT_MAX_BYTES:  # the journal's text would not load again
        report.add(("schedules",), f"more than {TEXT_MAX_BYTES >> 10} KiB with its calendars; export shorter stretches")
        report.refuse_if_any()
    assert file is not None  # noqa: S101 - without a report the shape is right
    return replace(_assemble(file, text, secrets, report, base_dir), calendar_files=calendar_files)


def _assemble(file: WardFile, text: str, secrets: Secrets, report: Report, base_dir: File | None) -> LoadedWard:
    return LoadedWard(
        ward=build_ward(file),
        mqtt=build_mqtt(file.mqtt, file.site, secrets, base_dir),
        journal=JournalSettings(resolved(file.journal.path, base_dir), file.journal.keep, file.journal.max_bytes),
        influx=build_influx(file.influx, secrets),
        console=build_console(file),
        transports={name: build_transport(name, transport, secrets) for name, transport in file.transports.items()},
        protocols=(*file.protocols, *([PROTOCOL] if file.synthetic and PROTOCOL not in file.protocols else [])),
        mllp=build_mllp(file.mllp, base_dir),
        ping=file.synthetic.ping if file.synthetic else None,
        rule_overrides=file.rules,
        text_for_journal=text,
        secret_files=secrets.files,
        source=report.source,
        located=report.located,
    )
