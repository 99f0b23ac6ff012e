"""Loading a ward file: everything that is wrong with it at once, or everything the gateway needs from it."""

from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from gateway.config.build import build_console, build_influx, build_mqtt, build_transport, build_ward, resolved
from gateway.config.journal_text import journal_text
from gateway.config.problems import ConfigError, Report
from gateway.config.references import check_references
from gateway.config.secrets import Secrets, read_secrets
from gateway.config.settings import JournalSettings, LoadedWard
from gateway.config.shape import check_shape
from gateway.config.ward_file import WardFile
from rules.yaml_lines import Located, Problem, YamlProblem, load


def load_ward_file(file: File) -> LoadedWard:
    """Load the ward file at `file`; its relative paths start at its own directory. Raises `ConfigError`."""
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        raise ConfigError((Problem(str(file), 0, (), (error.strerror or "cannot be read").lower()),)) from None
    except UnicodeDecodeError:
        raise ConfigError((Problem(str(file), 0, (), "not UTF-8 text; save it as UTF-8"),)) from None
    return load_ward(text, str(file), file.parent)


def load_ward(text: str, source: str, base_dir: File | None) -> LoadedWard:
    """Load a ward file's text. `source` names it in errors. Raises `ConfigError` with every problem.

    Relative paths start at `base_dir`. Without it (a text from the journal) no file is looked for, and secrets that live in
    files stay None.
    """
    try:
        located = load(text, source)
    except YamlProblem as found:
        raise ConfigError((found.problem,)) from None
    return _load(located.value, Report(source, located), base_dir)


def load_ward_mapping(content: Mapping[str, Any], source: str, base_dir: File | None = None) -> LoadedWard:
    """Load a ward that is a mapping already (inline in a scenario, or patched). Lines are unknown. Raises `ConfigError`."""
    return _load(content, Report(source), base_dir)


def _load(content: Mapping[str, Any], report: Report, base_dir: File | None) -> LoadedWard:
    raw = {key: value for key, value in content.items() if value is not None}  # an empty section is like an absent one
    file = check_shape(raw, report)
    check_references(raw, report)
    secrets = read_secrets(raw, base_dir, report)
    report.refuse_if_any()
    assert file is not None  # noqa: S101 - without a report the shape is right
    return _assemble(file, journal_text(raw), secrets, report.source, report.located, base_dir)


def _assemble(
    file: WardFile, text: str, secrets: Secrets, source: str, located: Located | None, base_dir: File | None
) -> LoadedWard:
    return LoadedWard(
        ward=build_ward(file),
        mqtt=build_mqtt(file.mqtt, file.site, secrets, base_dir),
        journal=JournalSettings(resolved(file.journal.path, base_dir), file.journal.keep, file.journal.max_bytes),
        influx=build_influx(file.influx, secrets),
        console=build_console(file),
        transports={name: build_transport(name, transport, secrets) for name, transport in file.transports.items()},
        protocols=tuple(file.protocols),
        rule_overrides=file.rules,
        text_for_journal=text,
        secret_files=secrets.files,
        source=source,
        located=located,
    )
