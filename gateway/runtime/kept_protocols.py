"""A running course keeps its protocol, also when the ward file no longer names it: a patient is never left without rules."""

import json
import logging
from collections.abc import Iterable, Mapping

from gateway.runtime.ports import Journal, Kind, Record
from rules.loader import RulesError, load_protocol

_log = logging.getLogger(__name__)


async def with_those_in_use(protocols: Mapping[str, str], in_use: Iterable[str], journal: Journal) -> dict[str, str]:
    """`protocols` (source → text) and, as they were journalled last, those of `in_use` (names) that are not among them."""
    missing = set(in_use) - {_name_of(text, source) for source, text in protocols.items()}
    kept = {}
    for record in await journal.read_kinds([Kind.CONFIG], 0, await journal.last_seq()) if missing else []:
        for source, text in _texts_of(record).items() if isinstance(record, Record) else ():
            name = _name_of(text, source)
            if name in missing:
                kept[name] = text  # the records come in order: the newest stays
    for name in sorted(missing):
        _log.warning("a running course needs the protocol %r, which the ward file no longer names: it stays in force", name)
    return {**protocols, **kept}


def _texts_of(record: Record) -> dict[str, str]:
    try:
        texts: dict[str, str] = json.loads(record.body)["protocols"]
    except (ValueError, KeyError, TypeError):
        return {}
    return texts


def _name_of(text: str, source: str) -> str:
    try:
        return load_protocol(text, source).name
    except RulesError:
        return source
