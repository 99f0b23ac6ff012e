"""Where records are kept: a folder of the technician's with the site's key. Written whole or not at all."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.field.commissioning.paper import html_of
from gateway.field.commissioning.record import DOCUMENT_BYTES_MAX, BadRecord, digest_of, opened, signed
from gateway.field.speaking import Wrong
from gateway.outside.site_key import PUBLIC_SUFFIX, KeyRefused, SiteKey, is_signed, public_key

KEY_NAME = "site.key"


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that is on the disk: its document, the page to print, and its digest."""

    document: Path
    page: Path
    digest: str


def keep(folder: Path, record: dict[str, Any], key: SiteKey) -> Kept:
    """Sign the record and write both files. Raises `OSError`."""
    moment = re.sub(r"[^0-9T]", "", record["ended_at"][:19])
    path = _free(folder / f"commissioning-{record['device']}-{moment}.json")
    text = signed(record, key.public, key.sign)
    page = path.with_suffix(".html")
    printed = html_of(text, path.name)
    _write(path, text)
    _write(page, printed)
    return Kept(path, page, digest_of(record))


def verified(path: Path, key_file: Path | None) -> tuple[dict[str, Any], str, bool]:
    """(record, digest, whether it is known whose key signed it). Raises `BadRecord`, and `Wrong` for files that cannot be read.

    The key: that of `key_file`, else the `site.pub` beside the document; without either only the signature's fit is known.
    """
    beside = (path.parent / KEY_NAME).with_suffix(PUBLIC_SUFFIX)
    if key_file is None and beside.is_file():
        key_file = beside
    try:
        trusted = public_key(key_file) if key_file is not None else None
        with path.open("rb") as file:
            data = file.read(DOCUMENT_BYTES_MAX + 1)
    except KeyRefused as refused:
        raise Wrong(str(refused)) from None
    except OSError as error:
        raise Wrong(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > DOCUMENT_BYTES_MAX:
        raise BadRecord(f"more than {DOCUMENT_BYTES_MAX // 1024} KiB: no commissioning record")
    record = opened(data.decode("utf-8", "replace"), is_signed, trusted)
    return record, digest_of(record), trusted is not None


def _free(path: Path) -> Path:
    """Of two records of one second the second gets a number: no record is ever written over."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return free


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:  # of a disk that is full nothing stays lying about
        aside.unlink(missing_ok=True)
