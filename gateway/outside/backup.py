"""Backups: one folder each, with all that a gateway needs to go on after its disk is lost, and a list of what it is.

    dripwatch-20261122T031500Z/
        journal.db  access.db  api-token  link-secret  diary-secret      what there is of them, 0600
        manifest.json                                                    sizes, SHA-256, what the journal holds

A folder gets its name when it is whole and durable. Sources: SQLite's online backup; docs/backup.md.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.domain.instants import SECOND_MS, Instant
from gateway.outside.sqlite_copy import Contents, contents, copy_database, cut, newest_by

JOURNAL = "journal.db"
DATABASES = ("access.db",)  # beside the journal, under the same name in a backup
SECRETS = ("api-token", "link-secret", "diary-secret")
MANIFEST = "manifest.json"
FORM = 1  # of the folder; a restore refuses another

_COMPANIONS = ("-wal", "-shm", "-journal")  # SQLite would read those of a lost file into the restored one

_NAME = re.compile(r"dripwatch-\d{8}T\d{6}Z")
_READ_AT_ONCE = 1 << 20


class BackupRefused(Exception):
    """The folder is no backup that can be used, or the place is taken; the text says what, where, and the mend."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A folder whose files are what its manifest says; `contents` as it was read when the backup was made."""

    folder: Path
    made_at: Instant
    contents: Contents


def make_backup(journal: Path, to: Path, at: Instant) -> Backup:
    """Copy `journal` and what stands beside it into a new folder under `to`, read it all back, and write the manifest.

    The gateway may run meanwhile. Raises `BackupRefused`, `JournalRefused`, `JournalFull`; no folder is left behind then.
    """
    if not journal.is_file():
        raise BackupRefused(f"{journal}: there is no journal here; check the path")
    folder = to / f"dripwatch-{_utc(at):%Y%m%dT%H%M%SZ}"
    if folder.exists():
        raise BackupRefused(f"{folder}: there is a backup of this second already")
    part = folder.with_name(f"{folder.name}.part")
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        held = _fill(journal, part)
        files = {path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for path in sorted(part.iterdir())}
        manifest = {"form": FORM, "made_at": at, "journal": asdict(held), "files": files}
        _write(part / MANIFEST, json.dumps(manifest, indent=2).encode())
        part.rename(folder)
        _settle(to)
    except OSError as error:
        raise BackupRefused(f"{to}: the backup failed: {error.strerror or error}; mend that and run it again") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Backup(folder, at, held)


def read_backup(folder: Path) -> Backup:
    """The backup in `folder`, every file compared with its manifest. Raises `BackupRefused`."""
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        if manifest["form"] != FORM:
            raise BackupRefused(f"{path}: a backup of form {manifest['form']}, and this program reads form {FORM}")
        held = manifest["journal"]
        found = Contents(
            int(held["last_seq"]), int(held["newest_at"]), int(held["records"]), tuple(held["damaged"]), tuple(held["findings"])
        )
        made_at, files = int(manifest["made_at"]), dict(manifest["files"])
    except FileNotFoundError:
        raise BackupRefused(f"{folder}: this is no backup: it has no {MANIFEST}; name a folder dripwatch-…Z") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupRefused(f"{path}: cannot be read ({type(error).__name__}: {error}); take another backup") from error
    _compare(folder, files)
    return Backup(folder, made_at, found)


def restore(backup: Backup, journal: Path, until: int | None = None) -> int:
    """Put the backup in place as `journal` and the files beside it; return how many records were cut off behind `until`.

    Raises `BackupRefused` where something is in the way, before anything is written; `CannotCut`, and nothing is there then.
    """
    places = _places(backup, journal)
    for place in (*places.values(), *_companions(places)):
        if place.exists():
            raise BackupRefused(f"{place}: is there already; move it away first, nothing is ever written over")
    part = journal.with_name(f"{journal.name}.part")
    try:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(backup.folder / JOURNAL, part)
        lost = 0 if until is None else cut(part, until)
        for name, place in places.items():
            if name != JOURNAL:
                _copy(backup.folder / name, place)
        part.rename(journal)  # last: a gateway that finds its journal finds everything
        _settle(journal.parent)
    except OSError as error:
        raise BackupRefused(f"{journal}: cannot be written: {error.strerror or error}") from error
    finally:
        for leftover in (part, *(part.with_name(f"{part.name}{end}") for end in _COMPANIONS)):
            leftover.unlink(missing_ok=True)
    return lost


def record_at(backup: Backup, at: Instant) -> int:
    """The newest record that was received at or before `at`. Raises `BackupRefused` when the backup has none."""
    seq = newest_by(backup.folder / JOURNAL, at)
    if not seq:
        raise BackupRefused(f"{backup.folder}: its first record is newer than that time")
    return seq


def forget_old(to: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups under `to`, the oldest first; return them. Only folders of our own naming."""
    ours = sorted(path for path in to.iterdir() if _NAME.fullmatch(path.name) and (path / MANIFEST).is_file())
    old = ours[: max(0, len(ours) - keep)]
    for folder in old:
        (folder / MANIFEST).unlink()  # half a backup is none
        shutil.rmtree(folder)
    return old


def _fill(journal: Path, part: Path) -> Contents:
    copy_database(journal, part / JOURNAL)
    for name in DATABASES:
        if journal.with_name(name).is_file():
            copy_database(journal.with_name(name), part / name)
    for name in SECRETS:
        if journal.with_name(name).is_file():
            _write(part / name, journal.with_name(name).read_bytes())
    return contents(part / JOURNAL)


def _compare(folder: Path, files: Mapping[str, Mapping[str, object]]) -> None:
    if JOURNAL not in files or set(files) - {JOURNAL, *DATABASES, *SECRETS}:
        raise BackupRefused(f"{folder / MANIFEST}: names files that are not a gateway's; take another backup")
    for name, said in files.items():
        path = folder / name
        if not path.is_file():
            raise BackupRefused(f"{path}: is missing; take another backup")
        if path.stat().st_size != said.get("bytes") or _digest(path) != said.get("sha256"):
            raise BackupRefused(f"{path}: is not what was backed up (its SHA-256 differs); take another backup")


def _places(backup: Backup, journal: Path) -> dict[str, Path]:
    names = [name for name in (*DATABASES, *SECRETS) if (backup.folder / name).is_file()]
    return {JOURNAL: journal, **{name: journal.with_name(name) for name in names}}


def _companions(places: Mapping[str, Path]) -> list[Path]:
    databases = [place for name, place in places.items() if name in (JOURNAL, *DATABASES)]
    return [place.with_name(f"{place.name}{end}") for place in databases for end in _COMPANIONS]


def _copy(source: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    with source.open("rb") as read, os.fdopen(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as write:
        shutil.copyfileobj(read, write, _READ_AT_ONCE)
        write.flush()
        os.fsync(write.fileno())


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _utc(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / SECOND_MS, UTC)
